#include "ptq/passes/calibrate.h"

#include <algorithm>
#include <memory>

#include "passes/calibration/batch_statistics.h"
#include "passes/calibration/threshold_means.h"
#include "ptq/base/error.h"
#include "quant/weight_scale.h"

namespace ptq::passes {
namespace {

/// What one table learns of the batches.
class TableCalibration {
 public:
  TableCalibration(const ir::Graph& graph, ActivationCalibration& to,
                   const CalibrationOptions& common)
      : to_(to),
        options_(with_percentile(common, to.percentile)),
        means_(to.table),
        statistics_({graph, to.table}, options_) {}
  TableCalibration(const TableCalibration&) = delete;
  TableCalibration& operator=(const TableCalibration&) = delete;

  BatchStatistics& statistics() { return statistics_; }
  bool is_open() const { return !statistics_.empty() && !to_.failure; }

  void end_batch() {
    try {
      statistics_.each([&](const ir::Node& node, const BatchStatistics::Thresholds& found) {
        means_.add(node, found);
      });
    } catch (const QuantizationError&) {
      to_.failure = std::current_exception();
    }
  }
  void write() { means_.write(to_.table); }

 private:
  static CalibrationOptions with_percentile(CalibrationOptions options, double percentile) {
    options.percentile = percentile;
    return options;
  }

  ActivationCalibration& to_;
  CalibrationOptions options_;
  ThresholdMeans means_;
  BatchStatistics statistics_;
};

/// Those that learn at the same time. Statistics of one pass are done while others need more.
class JointCalibration {
 public:
  JointCalibration(const ir::Graph& graph, std::vector<ActivationCalibration>& all,
                   const CalibrationOptions& options) {
    for (ActivationCalibration& each : all) {
      tables_.push_back(std::make_unique<TableCalibration>(graph, each, options));
    }
  }

  bool is_open() const {
    return std::any_of(tables_.begin(), tables_.end(),
                       [](const auto& table) { return table->is_open(); });
  }

  void observe(const ir::Node& node, const at::Tensor& value, int lane) {
    for (const auto& table : tables_) {
      if (table->is_open()) table->statistics().observe(node, value, lane);
    }
  }

  void batch(runtime::Executor& executor, const at::Tensor& images) {
    int passes = 0;
    each([&](TableCalibration& table) {
      table.statistics().start_batch(images.size(0));
      passes = std::max(passes, table.statistics().passes());
    });
    for (int pass = 0; pass < passes; ++pass) {
      each([&](TableCalibration& table) { table.statistics().start_pass(pass); });
      executor.run(images);
      each([&](TableCalibration& table) { table.statistics().end_pass(pass); });
    }
    each([](TableCalibration& table) { table.end_batch(); });
  }

  void write() {
    each([](TableCalibration& table) { table.write(); });
  }

 private:
  template <class Visit>
  void each(const Visit& visit) {
    for (const auto& table : tables_) {
      if (table->is_open()) visit(*table);
    }
  }

  std::vector<std::unique_ptr<TableCalibration>> tables_;
};

std::unique_ptr<runtime::Executor> float_executor(const ir::Graph& graph,
                                                  const CalibrationOptions& options,
                                                  JointCalibration& tables) {
  runtime::ExecutorOptions executor;
  executor.numerics = runtime::Numerics::kFloat;
  executor.observer = [&tables](const ir::Node& node, const at::Tensor& value, int lane) {
    tables.observe(node, value, lane);
  };
  return runtime::make_executor(graph, options.execution, executor);
}

}  // namespace

void initialize_weight_scales(QuantizedNetwork& network) {
  for (const ir::Node& node : network.graph.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr || layer->weight_quantizer == ir::kNoQuantizer) continue;
    if (!layer->weight.value.isfinite().all().item<bool>()) {
      throw QuantizationError(node.name + ": its weight is not finite");
    }
    quant::Quantizer& quantizer = network.table.at(layer->weight_quantizer);
    const auto found = quant::solve_weight_scale(layer->weight.value, quantizer);
    network.table.scale_of(layer->weight_quantizer).value = found.scale;
    quantizer.zero_point = found.zero_point;
  }
}

void calibrate_activations(const ir::Graph& graph, std::vector<ActivationCalibration>& all,
                           const CalibrationOptions& options, const NextBatch& next_batch) {
  JointCalibration tables(graph, all, options);
  if (!tables.is_open()) return;
  const auto executor = float_executor(graph, options, tables);
  int64_t batches = 0;
  while (tables.is_open()) {
    const std::optional<at::Tensor> images = next_batch();
    if (!images) break;
    tables.batch(*executor, *images);
    ++batches;
  }
  if (batches == 0) throw DataError("there are no calibration images");
  tables.write();
}

void calibrate_activations(QuantizedNetwork& network, const CalibrationOptions& options,
                           const NextBatch& next_batch) {
  std::vector<ActivationCalibration> alone = {{network.table, options.percentile}};
  calibrate_activations(network.graph, alone, options, next_batch);
  if (alone.front().failure) std::rethrow_exception(alone.front().failure);
  network.table = std::move(alone.front().table);
}

}  // namespace ptq::passes
