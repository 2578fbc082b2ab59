#include "passes/equalization/input_ranges.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/maximum.h>

#include "passes/equalization/channel_axis.h"
#include "ptq/base/error.h"

namespace ptq::passes {
namespace {

at::Tensor largest_by_channel(const ir::Node& layer, const at::Tensor& value) {
  const int64_t axis = channel_axis(layer.op, static_cast<size_t>(value.dim()));
  std::vector<int64_t> others;
  for (int64_t dim = 0; dim < value.dim(); ++dim) {
    if (dim != axis) others.push_back(dim);
  }
  return at::maximum(value.amax(others), value.amin(others).neg());
}

void raise(at::Tensor& range, const at::Tensor& to) {
  range = range.defined() ? at::maximum(range, to) : to;
}

/// Lanes see parts of a batch at the same time, each in ranges of its own.
class LaneRanges {
 public:
  LaneRanges(const std::vector<ir::Node*>& layers, int lanes) : lanes_(static_cast<size_t>(lanes)) {
    for (InputRanges& lane : lanes_) {
      for (const ir::Node* layer : layers) lane.emplace(layer, at::Tensor());
    }
  }

  bool has(const ir::Node& node) const { return lanes_.front().count(&node) != 0; }
  void observe(const ir::Node& node, const at::Tensor& value, int lane) {
    raise(lanes_[static_cast<size_t>(lane)].at(&node), largest_by_channel(node, value));
  }

  InputRanges merged() const {
    InputRanges all = lanes_.front();
    for (size_t lane = 1; lane < lanes_.size(); ++lane) {
      for (const auto& [layer, range] : lanes_[lane]) {
        if (range.defined()) raise(all.at(layer), range);
      }
    }
    return all;
  }

 private:
  std::vector<InputRanges> lanes_;
};

std::unique_ptr<runtime::Executor> executor(const ir::Graph& graph, LaneRanges& ranges,
                                            const runtime::Execution& execution) {
  runtime::ExecutorOptions run;
  run.numerics = runtime::Numerics::kFloat;
  run.observes = [&ranges](const ir::Node& node) { return ranges.has(node); };
  run.observer = [&ranges](const ir::Node& node, const at::Tensor& value, int lane) {
    ranges.observe(node, value, lane);
  };
  return runtime::make_executor(graph, execution, run);
}

}  // namespace

InputRanges input_ranges(const ir::Graph& graph, const std::vector<ir::Node*>& layers,
                         const runtime::Execution& execution, const NextBatch& next_batch) {
  LaneRanges ranges(layers, execution.threads);
  const auto network = executor(graph, ranges, execution);
  int64_t batches = 0;
  while (const std::optional<at::Tensor> images = next_batch()) {
    network->run(*images);
    ++batches;
  }
  if (batches == 0) throw DataError("there are no calibration images");
  const InputRanges all = ranges.merged();
  for (const ir::Node* layer : layers) {
    if (!all.at(layer).isfinite().all().item<bool>()) {
      throw QuantizationError(layer->name + ": its input is not finite on the calibration images");
    }
  }
  return all;
}

}  // namespace ptq::passes
