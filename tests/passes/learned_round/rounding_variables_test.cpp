#include "passes/learned_round/rounding_variables.h"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "passes/learned_round/rounding_functions.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"
#include "quant/weight_scale.h"
#include "support/graph_builder.h"

namespace ptq::passes {
namespace {

using testing::normals;

struct VariablesCase {
  const char* name;
  quant::Symmetry symmetry = quant::Symmetry::kSymmetric;
  quant::Granularity granularity = quant::Granularity::kPerTensor;
  quant::ScaleType scale_type = quant::ScaleType::kFloat;
  quant::Calibration calibration = quant::Calibration::kStatistics;
};

std::ostream& operator<<(std::ostream& out, const VariablesCase& tested) {
  return out << tested.name;
}

struct QuantizedWeight {
  at::Tensor weight = normals({6, 5, 3, 3}, 0.3F, 3);
  quant::QuantizerTable table;
  ir::QuantizerId id = 0;

  explicit QuantizedWeight(const VariablesCase& tested = {"per tensor"}) {
    quant::Quantizer quantizer;
    quantizer.kind = quant::QuantizerKind::kWeight;
    const bool is_signed = tested.symmetry == quant::Symmetry::kSymmetric;
    quantizer.format = quant::IntegerFormat{4, is_signed, false};
    quantizer.symmetry = tested.symmetry;
    quantizer.granularity = tested.granularity;
    quantizer.scale_type = tested.scale_type;
    quantizer.calibration = tested.calibration;
    quantizer.axis = tested.granularity == quant::Granularity::kPerGroup ? 1 : 0;
    quantizer.group_size = 2;
    const quant::ScaleAndZeroPoint solved = quant::solve_weight_scale(weight, quantizer);
    id = table.add(quantizer);
    table.scale_of(id).value = solved.scale;
    table.at(id).zero_point = solved.zero_point;
  }
};

class EveryFormat : public ::testing::TestWithParam<VariablesCase> {};

TEST_P(EveryFormat, BeginsAtNearestRounding) {
  const QuantizedWeight q(GetParam());
  for (const auto function :
       {RoundingFunction::kLinear, RoundingFunction::kHardSigmoid, RoundingFunction::kSigmoid}) {
    const RoundingVariables variables(q.weight, q.table, q.id, function);
    EXPECT_TRUE(at::equal(variables.decided(), variables.nearest()));
  }
}

TEST_P(EveryFormat, DecidesForWeightsThatTheirQuantizerKeeps) {
  const QuantizedWeight q(GetParam());
  RoundingVariables variables(q.weight, q.table, q.id, RoundingFunction::kHardSigmoid);
  variables.v().copy_(normals({6, 5, 3, 3}, 2, 9));
  const at::Tensor decided = variables.decided();
  EXPECT_TRUE(at::equal(
      quant::quantize_weight(decided, q.table, q.id),
      quant::quantize_weight(quant::fake_quantize_weight(decided, q.table, q.id), q.table, q.id)));
  EXPECT_TRUE(at::equal(quant::fake_quantize_weight(decided, q.table, q.id), decided));
  EXPECT_FALSE(at::equal(decided, variables.nearest()));
}

INSTANTIATE_TEST_SUITE_P(
    RoundingVariables, EveryFormat,
    ::testing::Values(
        VariablesCase{"symmetric"},
        VariablesCase{"channels", quant::Symmetry::kSymmetric, quant::Granularity::kPerChannel},
        VariablesCase{"asymmetric", quant::Symmetry::kAsymmetric, quant::Granularity::kPerChannel},
        VariablesCase{"groups", quant::Symmetry::kSymmetric, quant::Granularity::kPerGroup},
        VariablesCase{"powers of two", quant::Symmetry::kSymmetric, quant::Granularity::kPerTensor,
                      quant::ScaleType::kPowerOfTwo},
        VariablesCase{"half-quadratic", quant::Symmetry::kAsymmetric,
                      quant::Granularity::kPerChannel, quant::ScaleType::kFloat,
                      quant::Calibration::kHqo}));

/// Inside the range of codes, a sigmoid that begins at the weight gives the weight itself.
TEST(RoundingVariables, BeginAtTheWeight) {
  const QuantizedWeight q;
  const RoundingVariables variables(q.weight, q.table, q.id, RoundingFunction::kHardSigmoid);
  const double step = q.table.scale_of(q.id).value.item<double>();
  EXPECT_LT(variables.soft().sub(q.weight).abs().max().item<double>(), 0.6 * step);
  EXPECT_LT(variables.soft().sub(q.weight).abs().median().item<double>(), 1e-6 * step * 100);
}

/// <G, soft(v)> + weight sum indecision(h(v)), in float64.
double loss(const RoundingVariables& variables, const at::Tensor& by_weight,
            const Regulariser& regulariser, Sloped (*round)(float)) {
  double sum = variables.soft().mul(by_weight).sum(at::kDouble).item<double>();
  const at::Tensor& v = variables.v();
  for (int64_t i = 0; i < v.numel(); ++i) {
    sum += double{regulariser.weight} *
           double{indecision(round(v.data_ptr<float>()[i]).value, regulariser.beta).value};
  }
  return sum;
}

TEST(RoundingVariables, HaveTheGradientOfFiniteDifferences) {
  const QuantizedWeight q;
  const at::Tensor by_weight = normals({6, 5, 3, 3}, 1, 4);
  const Regulariser regulariser{0.05F, 6};
  const std::vector<std::pair<RoundingFunction, Sloped (*)(float)>> functions = {
      {RoundingFunction::kHardSigmoid, hard_sigmoid_round},
      {RoundingFunction::kSigmoid, sigmoid_round}};
  for (const auto& [function, round] : functions) {
    RoundingVariables variables(q.weight, q.table, q.id, function);
    // Where hard sigmoid does not clip yet, |v| < ln 11.
    variables.v().copy_(normals({6, 5, 3, 3}, 1, 8).clamp(-2.3, 2.3));
    const at::Tensor gradient = variables.gradient(by_weight, regulariser);
    for (int64_t i = 0; i < q.weight.numel(); i += 17) {
      float& v = variables.v().data_ptr<float>()[i];
      const float start = v;
      constexpr float kStep = 0.02F;
      v = start + kStep;
      const double above = loss(variables, by_weight, regulariser, round);
      v = start - kStep;
      const double below = loss(variables, by_weight, regulariser, round);
      v = start;
      EXPECT_NEAR(gradient.data_ptr<float>()[i], (above - below) / (2 * double{kStep}), 2e-4) << i;
    }
  }
}

TEST(RoundingVariables, PassGradientsStraightThroughLinearRounding) {
  const QuantizedWeight q;
  const RoundingVariables variables(q.weight, q.table, q.id, RoundingFunction::kLinear);
  const at::Tensor by_weight = normals({6, 5, 3, 3}, 1, 4);
  const at::Tensor gradient = variables.gradient(by_weight, {0.01F, 5});
  const float scale = q.table.scale_of(q.id).value.item<float>();
  const int64_t inside = q.weight.abs().argmin().item<int64_t>();
  EXPECT_FLOAT_EQ(gradient.data_ptr<float>()[inside], by_weight.data_ptr<float>()[inside] * scale);
}

TEST(RoundingVariables, HaveNoGradientWhereCodesClip) {
  QuantizedWeight q;
  q.table.scale_of(q.id).value.mul_(0.25);
  const RoundingVariables variables(q.weight, q.table, q.id, RoundingFunction::kHardSigmoid);
  const at::Tensor gradient = variables.gradient(normals({6, 5, 3, 3}, 1, 4), {});
  const int64_t largest = q.weight.abs().argmax().item<int64_t>();
  EXPECT_EQ(gradient.data_ptr<float>()[largest], 0);
}

TEST(RoundingVariables, RefuseMinifloats) {
  QuantizedWeight q;
  q.table.at(q.id).format = quant::MinifloatFormat{};
  q.table.at(q.id).layer = "conv1";
  try {
    RoundingVariables(q.weight, q.table, q.id, RoundingFunction::kHardSigmoid);
    FAIL() << "minifloats were accepted";
  } catch (const QuantizationError& error) {
    EXPECT_NE(std::string(error.what()).find("conv1"), std::string::npos);
  }
}

}  // namespace
}  // namespace ptq::passes
