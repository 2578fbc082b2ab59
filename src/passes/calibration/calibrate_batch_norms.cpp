#include "passes/calibrate_batch_norms.h"

#include <ATen/ops/sqrt.h>
#include <ATen/ops/var_mean.h>

#include <unordered_map>

#include "ptq/base/error.h"

namespace ptq::passes {
namespace {

ir::Argument argument(const std::optional<ir::Parameter>& parameter) {
  return parameter ? ir::Argument(parameter->value) : ir::Argument(std::monostate());
}

/// The same batch norm with the statistics of whatever comes. LibTorch's operator gives its output
/// first.
ir::Opaque with_batch_statistics(const ir::BatchNorm& norm) {
  constexpr bool kTraining = true;
  constexpr double kUnusedMomentum = 0.1;
  return {"aten::native_batch_norm",
          "",
          {ir::InputRef{0}, argument(norm.weight), argument(norm.bias), std::monostate(),
           std::monostate(), kTraining, kUnusedMomentum, norm.eps},
          0};
}

/// Sums of statistics of batches, by channel.
struct Statistics {
  at::Tensor mean, variance;
  int64_t batches = 0;

  void add(const at::Tensor& value) {
    std::vector<int64_t> dims{0};
    for (int64_t dim = 2; dim < value.dim(); ++dim) dims.push_back(dim);
    constexpr bool kUnbiased = true;
    const auto [own_variance, own_mean] = at::var_mean(value, dims, kUnbiased);
    mean = mean.defined() ? mean.add(own_mean) : own_mean;
    variance = variance.defined() ? variance.add(own_variance) : own_variance;
    ++batches;
  }
};

/// A graph whose batch norms use batch statistics, and what they see.
class Stream {
 public:
  explicit Stream(ir::Graph& graph) : copy_(graph) {
    auto copied = copy_.nodes.begin();
    for (ir::Node& node : graph.nodes) {
      ir::Node& own = *copied++;
      const auto* norm = node.as<ir::BatchNorm>();
      if (norm == nullptr) continue;
      own.op = with_batch_statistics(*norm);
      norms_.emplace_back(&node, Statistics{});
      index_.emplace(&own, norms_.size() - 1);
    }
  }

  bool empty() const { return norms_.empty(); }

  std::unique_ptr<runtime::Executor> executor(const quant::QuantizerTable& table,
                                              const runtime::Execution& execution) {
    runtime::ExecutorOptions executor;
    executor.threads = execution.threads;
    executor.dtype = execution.dtype;
    executor.observes = [this](const ir::Node& node) { return index_.count(&node) != 0; };
    executor.observer = [this](const ir::Node& node, const at::Tensor& value, int) {
      norms_[index_.at(&node)].second.add(value);
    };
    return runtime::make_interpreter({copy_, table}, executor);
  }

  /// Writes into the graph that the stream was made of.
  int write() const {
    for (const auto& [node, seen] : norms_) {
      ir::BatchNorm& norm = *node->as<ir::BatchNorm>();
      const auto batches = static_cast<double>(seen.batches);
      const at::Tensor mean = seen.mean.div(batches);
      const at::Tensor variance = at::sqrt(norm.running_var.value.mul(seen.variance.div(batches)));
      if (!mean.isfinite().all().item<bool>() || !variance.isfinite().all().item<bool>()) {
        throw QuantizationError(node->name +
                                ": its statistics are not finite on the calibration images");
      }
      norm.running_mean.value = mean;
      norm.running_var.value = variance;
    }
    return static_cast<int>(norms_.size());
  }

 private:
  ir::Graph copy_;
  std::vector<std::pair<ir::Node*, Statistics>> norms_;
  /// By node of the copy.
  std::unordered_map<const ir::Node*, size_t> index_;
};

}  // namespace

int calibrate_batch_norms(QuantizedNetwork& network, const runtime::Execution& execution,
                          const NextBatch& next_batch) {
  Stream stream(network.graph);
  if (stream.empty()) return 0;
  const auto executor = stream.executor(network.table, execution);
  int64_t batches = 0;
  while (const std::optional<at::Tensor> images = next_batch()) {
    executor->run(*images);
    ++batches;
  }
  if (batches == 0) throw DataError("there are no calibration images");
  return stream.write();
}

}  // namespace ptq::passes
