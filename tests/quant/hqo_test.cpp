#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "quant/qparams.h"
#include "short_forms.h"

namespace ptq::quant {
namespace {

using namespace testing;

using Rows = std::vector<std::vector<float>>;

constexpr int kBits = 4;
constexpr float kDivisor = 8;

Rows rows_of(const at::Tensor& weight) {
  Rows rows;
  for (int64_t i = 0; i < weight.size(0); ++i) {
    const float* first = weight.data_ptr<float>() + i * weight.size(1);
    rows.emplace_back(first, first + weight.size(1));
  }
  return rows;
}

float shrunk(float error, double inverse_beta) {
  const double size = std::abs(error);
  return static_cast<float>(
      std::copysign(std::max(size - inverse_beta * std::pow(size, -0.3), 0.0), double{error}));
}

/// The next threshold of a row, word by word as reference-contract 3.8 has it.
float next_threshold(const std::vector<float>& row, float threshold, double inverse_beta) {
  const QParams params{threshold / kDivisor, 0, -8, 7};
  std::vector<float> ratios;
  for (const float x : row) {
    const float target = x - shrunk(x - fake_quantize(x, params), inverse_beta);
    const float code = quantize(x, params);
    if (code != 0 && target != 0) ratios.push_back(target / code);
  }
  if (ratios.empty()) return threshold;
  std::sort(ratios.begin(), ratios.end());
  return ratios[(ratios.size() - 1) / 2] * kDivisor;
}

float mean_error(const Rows& rows, const std::vector<float>& thresholds) {
  double sum = 0, count = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const QParams params{thresholds[i] / kDivisor, 0, -8, 7};
    for (const float x : rows[i])
      sum += static_cast<double>(std::abs(fake_quantize(x, params) - x));
    count += static_cast<double>(rows[i].size());
  }
  return static_cast<float>(sum / count);
}

std::vector<float> thresholds_by_contract(const Rows& rows) {
  std::vector<float> thresholds, best;
  for (const std::vector<float>& row : rows) {
    float largest = 0;
    for (const float x : row) largest = std::max(largest, std::abs(x));
    thresholds.push_back(largest);
  }
  float best_loss = std::numeric_limits<float>::infinity();
  double beta = 1e5;
  for (int round = 0; round < 1000; ++round, beta *= 1.01) {
    const float loss = mean_error(rows, thresholds);
    if (!(loss < best_loss)) break;
    best_loss = loss;
    best = thresholds;
    for (size_t i = 0; i < rows.size(); ++i) {
      thresholds[i] = next_threshold(rows[i], thresholds[i], 1 / beta);
    }
  }
  return best;
}

void expect_as_by_contract(const at::Tensor& weight) {
  const at::Tensor scales =
      solve_weight_scale(weight, weight_quantizer(full(kBits), kChannel, kHqo)).scale.flatten();
  const std::vector<float> expected = thresholds_by_contract(rows_of(weight));
  ASSERT_EQ(scales.numel(), static_cast<int64_t>(expected.size()));
  for (int64_t i = 0; i < scales.numel(); ++i) {
    const float scale = expected[static_cast<size_t>(i)] / kDivisor;
    EXPECT_NEAR(scales[i].item<double>(), scale, 5e-5 * double{scale}) << "row " << i;
  }
}

TEST(Hqo, FindsTheScalesOfTheContract) {
  expect_as_by_contract(at::randn({7, 301}).mul(0.05));
  expect_as_by_contract(at::rand({3, 64}).sub(0.3).pow(3));
}

/// Zeros have no code, and a row of them keeps its threshold.
TEST(Hqo, LeavesOutWeightsWithoutCode) {
  at::Tensor weight = at::randn({4, 50}).mul(0.02);
  weight[1].zero_();
  weight[2].slice(0, 0, 45).zero_();
  const at::Tensor scales =
      solve_weight_scale(weight, weight_quantizer(full(kBits), kChannel, kHqo)).scale.flatten();
  EXPECT_NEAR(scales[1].item<double>(), 1e-10 / 8, 1e-18);
  EXPECT_GT(scales[2].item<double>(), 1e-4);
}

}  // namespace
}  // namespace ptq::quant
