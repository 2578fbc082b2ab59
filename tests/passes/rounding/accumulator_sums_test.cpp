#include <cmath>
#include <cstdio>

#include "passes/measured_models.h"
#include "ptq/passes/round_weights.h"
#include "ptq/runtime/executor.h"
#include "quant/fake_quantize.h"
#include "quant/layer_quantizers.h"
#include "runtime/gemm.h"
#include "unfolded_columns.h"

// AXE's promise on photographs: with P bits asked for, the integer sums of SqueezeNet fit into P.
namespace ptq::passes {
namespace {

using testing::kThreads;

struct Case {
  int bits;
  std::optional<int64_t> tile;
};

/// The largest magnitude that any partial sum of a tile's products, in any order, can come to on
/// these inputs. `weights` [rows, K] and `inputs` [K, columns] are codes; float32 holds their sums,
/// which are below 2^24, exactly.
double largest_sum(const at::Tensor& weights, const at::Tensor& inputs, int64_t tile) {
  double largest = 0;
  for (int64_t begin = 0; begin < weights.size(1); begin += tile) {
    const int64_t count = std::min(tile, weights.size(1) - begin);
    const at::Tensor w = weights.narrow(1, begin, count), x = inputs.narrow(0, begin, count);
    const at::Tensor up = w.clamp_min(0), down = w.clamp_max(0);
    const at::Tensor high = x.clamp_min(0), low = x.clamp_max(0);
    const at::Tensor most = runtime::product(up, high).add(runtime::product(down, low));
    const at::Tensor least = runtime::product(up, low).add(runtime::product(down, high));
    largest = std::max({largest, most.max().item<double>(), -least.min().item<double>()});
  }
  return largest;
}

class AccumulatorSums : public testing::MeasuredModel {
 protected:
  void SetUp() override {
    MeasuredModel::SetUp();
    if (IsSkipped()) return;
    calibration_ = images("calibration", 50);
    backends::PlacementOptions options;
    options.weights.format = quant::IntegerFormat{4};
    options.weights.granularity = quant::Granularity::kPerChannel;
    network_ = backends::place(backends::Backend::kFx, prepared("squeezenet1_1"), options);
    initialize_weight_scales(network_);
    CalibrationOptions run;
    run.execution.threads = kThreads;
    calibrate_activations(network_, run, batches(calibration_));
  }

  void round(const Case& c) {
    RoundingOptions options;
    options.quantize_activations = true;
    options.accumulator = AccumulatorOptions{c.bits, c.tile};
    options.threads = kThreads;
    round_weights(network_, options, {}, batches(calibration_));
  }

  /// Over all layers, on validation images that calibration did not see.
  double largest_sum_of_network(const Case& c) {
    const at::Tensor photographs = *batches(images("validation", 2))();
    const ir::Index index(network_.graph);
    double largest = 0;
    runtime::ExecutorOptions executor;
    executor.observes = [](const ir::Node& node) { return ir::weighted(node.op) != nullptr; };
    executor.observer = [&](const ir::Node& node, const at::Tensor& x, int) {
      const ir::Weighted& layer = *ir::weighted(node.op);
      const at::Tensor scale = network_.table.scale_of(quant::input_quantizer(index, node)).value;
      const at::Tensor inputs =
          testing::unfolded_columns(node.op, x).div(scale).round().to(at::kFloat);
      const at::Tensor codes =
          quant::quantize_weight(layer.weight.value, network_.table, layer.weight_quantizer);
      const at::Tensor weights = weight_rows(node.op, codes).to(at::kFloat);
      largest =
          std::max(largest, largest_sum(weights[0], inputs[0], c.tile.value_or(weights.size(2))));
    };
    runtime::make_interpreter(network_, executor)->run(photographs);
    return largest;
  }

  QuantizedNetwork network_;
  std::shared_ptr<data::Loader> calibration_;
};

TEST_F(AccumulatorSums, FitOnPhotographsAndDidNotBefore) {
  const ir::Graph nearest = network_.graph;
  for (const Case& c : {Case{20, {}}, Case{16, {}}, Case{14, 64}}) {
    network_.graph = nearest;
    const double before = largest_sum_of_network(c);
    round(c);
    const double after = largest_sum_of_network(c), most = std::exp2(c.bits - 1) - 1;
    std::printf("%d bits, tiles of %ld: largest sum %.0f with the nearest codes, %.0f of %.0f\n",
                c.bits, static_cast<long>(c.tile.value_or(0)), before, after, most);
    EXPECT_LE(after, most);
    EXPECT_GT(after, 0);
    if (c.bits == 14) {
      EXPECT_GT(before, most) << "nothing to bound";
    }
  }
}

}  // namespace
}  // namespace ptq::passes
