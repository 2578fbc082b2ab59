#pragma once

#include <optional>
#include <string>
#include <vector>

#include "workflow/quantization.h"

namespace ptq::workflow {

/// Calibration images that steps are measured on: the first ones drawn. Enough to show any change
/// that matters, and a second of work for the networks of torchvision.
inline constexpr int64_t kFunctionImages = 64;

/// A pass of preparation and the network behind it; graphs share tensors with copies.
struct Snapshot {
  std::string pass;
  ir::Graph graph;
};

/// Follows a float network from step to step, on the same images. Images are read, and networks
/// run, when the first change is asked for; without images it does nothing.
class FunctionWatch {
 public:
  /// `images` and `context` outlive it.
  FunctionWatch(const std::optional<data::ImageSet>& images, const Context& context,
                ir::Graph original)
      : images_(images), context_(context), network_(std::move(original)) {}

  /// What `step` would change if it made `after` of the network. In float32, whatever the context
  /// computes in. Only with images.
  eval::FunctionChange measure(const std::string& step, const ir::Graph& after);

  /// The network is `after` now. Adds the change to rows(), and a warning where it is more than
  /// rounding.
  void note(const std::string& step, const ir::Graph& after);

  /// The same for the passes of preparation, in order. Those before equalization are one step,
  /// within which the passes that changed the function are named.
  void note_preparation(const std::vector<Snapshot>& passes);

  const std::vector<FunctionRow>& rows() const { return rows_; }

 private:
  /// Not for what is done aside.
  bool is_on() const { return images_.has_value() && context_.until == Until::kFinished; }
  const at::Tensor& images();
  at::Tensor run_float(const ir::Graph& graph);
  const at::Tensor& logits();
  void move_to(const ir::Graph& graph);
  std::vector<std::string> culprits(const std::vector<Snapshot>& passes);
  void add(FunctionRow row);

  const std::optional<data::ImageSet>& images_;
  const Context& context_;
  ir::Graph network_;
  /// Of `network_`; undefined until asked for.
  at::Tensor logits_;
  at::Tensor pixels_;
  std::vector<FunctionRow> rows_;
};

}  // namespace ptq::workflow
