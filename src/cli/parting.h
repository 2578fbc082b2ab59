#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ptq/cli/exports.h"
#include "ptq/export/export.h"
#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"
#include "ptq/runtime/executor.h"

namespace ptq::cli {

/// A network as a run computes it, by the optimised plan or node by node, on the CPU.
struct Stream {
  const ir::Graph& graph;
  const quant::QuantizerTable& table;
  bool compile;
  int threads;
};

/// Where the codes of a network part from those of exported models.
class PartingFinder {
 public:
  explicit PartingFinder(const Stream& stream);

  /// Traces a batch [N, 3, H, W], on which the network and the model have given these logits
  /// [N, classes]: both are run once more. A model without names for its values is taken for the
  /// network run node by node, if that gives its logits. False where nothing can be compared, for
  /// one of the two has no values or another class for some image than before: its values are
  /// then another stream's.
  bool trace(exporting::ExportedModel& model, const at::Tensor& images, const at::Tensor& ours,
             const at::Tensor& theirs);
  /// Where codes part for one image of the batch traced last.
  Parting parting(int64_t image) const;

 private:
  /// An executor that keeps what each FakeQuantize is given, in the order of execution.
  struct Tapped {
    std::unique_ptr<runtime::Executor> executor;
    std::vector<std::pair<const ir::Node*, at::Tensor>> inputs;

    at::Tensor run(const at::Tensor& images);
  };
  std::unique_ptr<Tapped> tapped(bool compile) const;
  exporting::NamedValues values_of(exporting::ExportedModel& model, const at::Tensor& images);
  const std::string& name_of(ir::ValueId value) const;

  Stream stream_;
  std::vector<std::string> names_;
  std::unique_ptr<Tapped> ours_;
  std::unique_ptr<Tapped> interpreter_;
  exporting::NamedValues theirs_;
};

}  // namespace ptq::cli
