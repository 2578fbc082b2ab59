#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "conformance/conformance.h"
#include "import/import.h"
#include "passes/pipeline.h"
#include "ptq/backends/placement.h"
#include "ptq/passes/calibrate.h"
#include "ptq/runtime/executor.h"
#include "runtime/integer_layers.h"
#include "support/integer_oracle.h"

// Whole networks on integers against an evaluator whose sums are exact and that knows nothing of
// plans.
namespace ptq {
namespace {

struct Formats {
  const char* name;
  backends::PlacementOptions options;
};

Formats formats(const char* name, int weight_bits, quant::Granularity granularity,
                quant::Symmetry symmetry, bool narrow) {
  Formats result{name, {}};
  const bool is_signed = symmetry == quant::Symmetry::kSymmetric;
  backends::WeightOptions& weights = result.options.weights;
  weights.format = quant::IntegerFormat{weight_bits, is_signed, narrow};
  weights.granularity = granularity;
  weights.symmetry = symmetry;
  result.options.activations->symmetry = symmetry;
  return result;
}

const std::vector<Formats>& all_formats() {
  constexpr auto kTensor = quant::Granularity::kPerTensor,
                 kChannel = quant::Granularity::kPerChannel;
  constexpr auto kSym = quant::Symmetry::kSymmetric;
  static const std::vector<Formats> all = {formats("W8A8", 8, kTensor, kSym, false),
                                           formats("narrow range", 8, kChannel, kSym, true)};
  return all;
}

class IntegerConformance : public Conformance {
 protected:
  /// Placed as `formats` say, calibrated on `images`.
  QuantizedNetwork quantized(const ir::Graph& prepared, const Formats& formats,
                             const at::Tensor& images) const {
    QuantizedNetwork network = backends::place(backends::Backend::kFx, prepared, formats.options);
    passes::initialize_weight_scales(network);
    int batches = 0;
    passes::calibrate_activations(network, {}, [&]() -> std::optional<at::Tensor> {
      return batches++ == 0 ? std::optional(images) : std::nullopt;
    });
    return network;
  }

  void expect_oracle(const std::vector<Formats>& all) const {
    const support::ConformanceModel& model = GetParam();
    ir::Graph prepared = import::import_torchscript(model.path, {model.image_size});
    passes::prepare(prepared, {});
    at::manual_seed(1);
    const at::Tensor images = at::randn({2, 3, model.image_size, model.image_size});
    for (const Formats& each : all) {
      SCOPED_TRACE(each.name);
      const QuantizedNetwork network = quantized(prepared, each, images);
      for (const runtime::LayerArithmetic& layer : runtime::layer_arithmetic(network)) {
        EXPECT_TRUE(layer.on_integers) << layer.layer << ": " << layer.reason;
      }
      expect_oracle(network, images);
    }
  }

 private:
  /// Two images alone, and seven, at one thread and at two.
  static void expect_oracle(const QuantizedNetwork& network, const at::Tensor& images) {
    const at::Tensor expected = testing::integer_oracle(network, images);
    const std::vector<at::Tensor> seven{images, images, images, images.narrow(0, 0, 1)};
    const std::vector<at::Tensor> of_seven{expected, expected, expected, expected.narrow(0, 0, 1)};
    for (const int threads : {1, 2}) {
      runtime::ExecutorOptions options;
      options.threads = threads;
      options.arithmetic = runtime::Arithmetic::kInteger;
      const auto plan = runtime::make_plan(network, options);
      const at::Tensor logits = plan->run(at::cat(seven));
      EXPECT_TRUE(at::equal(logits, at::cat(of_seven)))
          << logits.narrow(0, 0, 2).sub(expected).abs().max().item<float>() << " of "
          << expected.abs().max().item<float>();
      EXPECT_TRUE(at::equal(plan->run(images.narrow(0, 1, 1)), expected.narrow(0, 1, 1)));
    }
  }
};

/// Networks of more than 25 million weights take their time: in the first format.
TEST_P(IntegerConformance, IsTheOracle) {
  const bool quick = std::filesystem::file_size(GetParam().path) < 100'000'000;
  expect_oracle(quick ? all_formats() : std::vector<Formats>{all_formats().front()});
}

/// run.py runs this one with another instruction set too.
TEST_P(IntegerConformance, IsTheOracleOnEveryProcessor) {
  expect_oracle({formats("W4A8, asymmetric", 4, quant::Granularity::kPerChannel,
                         quant::Symmetry::kAsymmetric, false)});
}

/// What is scripted and what is traced become the same graph: one of the two files is enough.
std::vector<support::ConformanceModel> scripted_models() {
  std::vector<support::ConformanceModel> all = support::conformance_models();
  all.erase(std::remove_if(
                all.begin(), all.end(),
                [](const auto& model) { return model.name.find("script") == std::string::npos; }),
            all.end());
  return all;
}

INSTANTIATE_TEST_SUITE_P(Models, IntegerConformance, ::testing::ValuesIn(scripted_models()),
                         conformance_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(IntegerConformance);

}  // namespace
}  // namespace ptq
