#include "ptq/passes/calibrate.h"

#include <ATen/ops/stack.h>

#include <cmath>
#include <map>
#include <memory>

#include "passes/batch_statistics.h"
#include "ptq/base/error.h"
#include "ptq/quant/statistics.h"
#include "ptq/quant/weight_scale.h"
#include "ptq/runtime/executor.h"

namespace ptq::passes {
namespace {

/// Of the channels that have a scale each, or a single one.
using RunningMeans = std::vector<quant::RunningMean>;

/// `convert` of each mean, [] or [channels].
template <class Convert>
at::Tensor by_channel(const RunningMeans& means, bool is_per_channel, const Convert& convert) {
  std::vector<at::Tensor> found;
  for (size_t i = 0; i < means.size(); ++i) found.push_back(convert(means[i].value(), i));
  return is_per_channel ? at::stack(found) : found.front();
}

/// The means over all batches: thresholds by scale, zero points by quantizer.
class Means {
 public:
  explicit Means(const quant::QuantizerTable& table)
      : table_(table),
        thresholds_(table.scales.size(), RunningMeans(1)),
        zero_points_(table.quantizers.size(), RunningMeans(1, quant::RunningMean(kZeroPoint))) {}

  void add(const ir::Node& node, const BatchStatistics::Thresholds& found) {
    const ir::QuantizerId id = node.as<ir::FakeQuantize>()->quantizer;
    RunningMeans& thresholds = thresholds_[static_cast<size_t>(table_.at(id).scale)];
    RunningMeans& zero_points = zero_points_[static_cast<size_t>(id)];
    thresholds.resize(found.size());
    zero_points.resize(found.size(), quant::RunningMean(kZeroPoint));
    for (size_t i = 0; i < found.size(); ++i) {
      if (!std::isfinite(found[i].threshold) || !std::isfinite(found[i].zero_point)) {
        throw QuantizationError(node.name +
                                ": its values are not finite on the calibration images");
      }
      thresholds[i].add(found[i].threshold);
      zero_points[i].add(found[i].zero_point);
    }
  }

  /// Writes scales, then the zero points that depend on them. Quantizers that nothing uses keep a
  /// threshold of 1, as in the reference.
  void write(quant::QuantizerTable& table) const {
    for (size_t id = 0; id < table.quantizers.size(); ++id) {
      quant::Quantizer& quantizer = table.quantizers[id];
      if (!quant::needs_calibration(quantizer)) continue;
      const bool is_per_channel = quantizer.granularity == quant::Granularity::kPerChannel;
      quant::Scale& scale = table.scales[static_cast<size_t>(quantizer.scale)];
      scale.value = by_channel(thresholds_[static_cast<size_t>(quantizer.scale)], is_per_channel,
                               [&](float mean, size_t) {
                                 return quant::activation_scale(mean, scale.threshold_divisor,
                                                                quantizer.scale_type);
                               });
      if (quantizer.symmetry == quant::Symmetry::kSymmetric) continue;
      const at::Tensor scales = scale.value.reshape({-1});
      quantizer.zero_point =
          by_channel(zero_points_[id], is_per_channel, [&](float mean, size_t i) {
            return quant::activation_zero_point(mean, scales[static_cast<int64_t>(i)],
                                                *quantizer.integer());
          });
    }
    table.derive_scales();
  }

 private:
  static constexpr auto kZeroPoint = quant::RunningMean::Of::kZeroPoint;

  const quant::QuantizerTable& table_;
  std::vector<RunningMeans> thresholds_;
  std::vector<RunningMeans> zero_points_;
};

std::unique_ptr<runtime::Executor> float_executor(const ir::Graph& graph,
                                                  const quant::QuantizerTable& table,
                                                  const CalibrationOptions& options,
                                                  BatchStatistics& statistics) {
  runtime::ExecutorOptions executor;
  executor.numerics = runtime::Numerics::kFloat;
  executor.threads = options.threads;
  executor.dtype = options.dtype;
  executor.observer = [&statistics](const ir::Node& node, const at::Tensor& value, int lane) {
    statistics.observe(node, value, lane);
  };
  return options.compile ? runtime::make_plan(graph, table, executor)
                         : runtime::make_interpreter(graph, table, executor);
}

}  // namespace

void initialize_weight_scales(const ir::Graph& graph, quant::QuantizerTable& table) {
  for (const ir::Node& node : graph.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr || layer->weight_quantizer == ir::kNoQuantizer) continue;
    if (!layer->weight.value.isfinite().all().item<bool>()) {
      throw QuantizationError(node.name + ": its weight is not finite");
    }
    quant::Quantizer& quantizer = table.at(layer->weight_quantizer);
    const auto found = quant::solve_weight_scale(layer->weight.value, quantizer);
    table.scale_of(layer->weight_quantizer).value = found.scale;
    quantizer.zero_point = found.zero_point;
  }
}

void calibrate_activations(const ir::Graph& graph, quant::QuantizerTable& table,
                           const CalibrationOptions& options, const NextBatch& next_batch) {
  Means means(table);
  BatchStatistics statistics(graph, table, options);
  if (statistics.empty()) return;
  const auto executor = float_executor(graph, table, options, statistics);
  int64_t batches = 0;
  while (const std::optional<at::Tensor> images = next_batch()) {
    statistics.start_batch(images->size(0));
    for (int pass = 0; pass < statistics.passes(); ++pass) {
      statistics.start_pass(pass);
      executor->run(*images);
      statistics.end_pass(pass);
    }
    statistics.each([&](const ir::Node& node, const BatchStatistics::Thresholds& found) {
      means.add(node, found);
    });
    ++batches;
  }
  if (batches == 0) throw DataError("there are no calibration images");
  means.write(table);
}

}  // namespace ptq::passes
