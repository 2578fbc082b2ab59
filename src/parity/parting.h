#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "export/export.h"
#include "parity/export_report.h"
#include "ptq/quant/quantized_network.h"
#include "ptq/runtime/executor.h"

namespace ptq::parity {

/// A network as a run computes it, by the optimised plan or node by node, on the CPU.
struct Stream {
  const QuantizedNetwork& network;
  bool compile;
  int threads;
};

/// Where the codes of a network part from those of exported models.
class PartingFinder {
 public:
  explicit PartingFinder(const Stream& stream);

  /// For one image [1, 3, H, W], on which the network and the model have given these logits
  /// [1, classes]. A model without names for its values is taken for the network run node by node,
  /// if that gives its logits. Nothing where nothing can be compared: both are run once more, and
  /// where one does not name the class again that it has named before, its values are another
  /// stream's.
  std::optional<Parting> find(exporting::ExportedModel& model, const at::Tensor& image,
                              const at::Tensor& ours, const at::Tensor& theirs);

 private:
  /// An executor that keeps what each FakeQuantize is given, in the order of execution.
  struct Tapped {
    std::unique_ptr<runtime::Executor> executor;
    std::vector<std::pair<const ir::Node*, at::Tensor>> inputs;

    at::Tensor run(const at::Tensor& image);
  };
  std::unique_ptr<Tapped> tapped(bool compile) const;
  exporting::NamedValues values_of(exporting::ExportedModel& model, const at::Tensor& image);
  const std::string& name_of(ir::ValueId value) const;

  Stream stream_;
  std::vector<std::string> names_;
  std::unique_ptr<Tapped> ours_;
  std::unique_ptr<Tapped> interpreter_;
};

}  // namespace ptq::parity
