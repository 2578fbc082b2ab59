#include "ptq/passes/calibrate.h"

#include <cmath>
#include <map>
#include <memory>

#include "ptq/base/error.h"
#include "ptq/quant/statistics.h"
#include "ptq/runtime/executor.h"

namespace ptq::passes {
namespace {

/// The statistics of one FakeQuantize node: a percentile a lane and batch.
struct Site {
  const ir::Node* node = nullptr;
  ir::Dims shape;
  std::vector<quant::AbsPercentile> lanes;
};

/// Watches every FakeQuantize node and averages its batches into the scales.
class Calibrator {
 public:
  Calibrator(const ir::Graph& graph, const quant::QuantizerTable& table,
             const CalibrationOptions& options)
      : table_(table), options_(options), means_(table.scales.size()) {
    for (const ir::Node& node : graph.nodes) {
      if (!node.is<ir::FakeQuantize>()) continue;
      index_.emplace(&node, sites_.size());
      sites_.push_back({&node, graph.values[static_cast<size_t>(node.inputs[0])].shape, {}});
    }
  }

  void start_batch(int64_t batch) {
    for (Site& site : sites_) {
      int64_t count = 1;
      for (int64_t extent : ir::at_batch(site.shape, batch)) count *= extent;
      site.lanes.assign(static_cast<size_t>(options_.threads),
                        quant::AbsPercentile(options_.percentile, count));
    }
  }

  /// Values may come in any dense layout: a percentile does not depend on order.
  void observe(const ir::Node& node, const at::Tensor& value, int lane) {
    const at::Tensor dense = value.is_non_overlapping_and_dense() ? value : value.contiguous();
    sites_[index_.at(&node)].lanes[static_cast<size_t>(lane)].add(dense.data_ptr<float>(),
                                                                  dense.numel());
  }

  /// Sites in execution order: the mean of a shared scale rounds in that order.
  void finish_batch() {
    for (Site& site : sites_) {
      quant::AbsPercentile& whole = site.lanes.front();
      for (size_t lane = 1; lane < site.lanes.size(); ++lane) whole.merge(site.lanes[lane]);
      const float statistic = whole.result();
      const auto& quantizer = table_.at(site.node->as<ir::FakeQuantize>()->quantizer);
      if (!std::isfinite(statistic)) {
        throw QuantizationError(site.node->name +
                                ": its values are not finite on the calibration images");
      }
      means_[static_cast<size_t>(quantizer.scale)].add(statistic);
      site.lanes.clear();
    }
  }

  const quant::RunningMean& mean(quant::ScaleId scale) const {
    return means_[static_cast<size_t>(scale)];
  }

 private:
  const quant::QuantizerTable& table_;
  const CalibrationOptions& options_;
  std::vector<Site> sites_;
  std::map<const ir::Node*, size_t> index_;
  std::vector<quant::RunningMean> means_;
};

std::unique_ptr<runtime::Executor> float_executor(const ir::Graph& graph,
                                                  const quant::QuantizerTable& table,
                                                  const CalibrationOptions& options,
                                                  Calibrator& calibrator) {
  runtime::ExecutorOptions executor;
  executor.numerics = runtime::Numerics::kFloat;
  executor.threads = options.threads;
  executor.observer = [&calibrator](const ir::Node& node, const at::Tensor& value, int lane) {
    calibrator.observe(node, value, lane);
  };
  return options.compile ? runtime::make_plan(graph, table, executor)
                         : runtime::make_interpreter(graph, table, executor);
}

void write_scales(quant::QuantizerTable& table, const Calibrator& calibrator) {
  for (const quant::Quantizer& quantizer : table.quantizers) {
    if (quantizer.kind != quant::QuantizerKind::kActivation) continue;
    quant::Scale& scale = table.scales[static_cast<size_t>(quantizer.scale)];
    const float threshold = calibrator.mean(quantizer.scale).value();
    scale.value = quant::scale_of_threshold(threshold, scale.threshold_divisor);
  }
}

}  // namespace

void initialize_weight_scales(const ir::Graph& graph, quant::QuantizerTable& table) {
  for (const ir::Node& node : graph.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr || layer->weight_quantizer == ir::kNoQuantizer) continue;
    if (!layer->weight.value.isfinite().all().item<bool>()) {
      throw QuantizationError(node.name + ": its weight is not finite");
    }
    table.scale_of(layer->weight_quantizer).value =
        quant::absmax_weight_scale(layer->weight.value, table.at(layer->weight_quantizer));
  }
}

void calibrate_activations(const ir::Graph& graph, quant::QuantizerTable& table,
                           const CalibrationOptions& options, const NextBatch& next_batch) {
  Calibrator calibrator(graph, table, options);
  const auto executor = float_executor(graph, table, options, calibrator);
  int64_t batches = 0;
  while (const std::optional<at::Tensor> images = next_batch()) {
    calibrator.start_batch(images->size(0));
    executor->run(*images);
    calibrator.finish_batch();
    ++batches;
  }
  if (batches == 0) throw DataError("there are no calibration images");
  write_scales(table, calibrator);
}

}  // namespace ptq::passes
