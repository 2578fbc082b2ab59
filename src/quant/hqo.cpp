#include "quant/hqo.h"

#include <ATen/Parallel.h>

#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <variant>

#include "quant/element_params.h"
#include "quant/hqo_rows.h"
#include "quant/kernels.h"
#include "quant/scale_of_threshold.h"

namespace ptq::quant {
namespace {

constexpr int kIterations = 1000;
/// Rounds that a row goes through at a time. Its numbers depend on itself alone; only where to stop
/// depends on all rows.
constexpr int kRoundsAtOnce = 20;
static_assert(kIterations % kRoundsAtOnce == 0);
constexpr double kBetaGrowth = 1.01;
constexpr double kScaleBeta = 1e5;
constexpr double kZeroBeta = 1;

/// A row's numbers at the start of some rounds, and its errors with them.
struct Rounds {
  std::array<float, kRoundsAtOnce> numbers = {};
  std::array<double, kRoundsAtOnce> errors = {};
};

/// Improves a number for each row as long as the mean error of the whole weight falls.
class Search {
 public:
  Search(const Partition& rows, std::vector<float> numbers, double beta)
      : rows_(rows), numbers_(std::move(numbers)), best_(numbers_), beta_(beta) {}

  /// The best numbers. round(index, number, 1 / beta, scratch) gives a row's error and its next
  /// number; `scratch` has room for its weights.
  template <class Round>
  std::vector<float> run(Round round) {
    for (int done = 0; done < kIterations; done += kRoundsAtOnce) {
      go_through(round);
      if (!keep_better()) break;
    }
    return best_;
  }

 private:
  template <class Round>
  void go_through(Round round) {
    std::array<float, kRoundsAtOnce> inverse_betas = {};
    for (float& inverse : inverse_betas) {
      inverse = static_cast<float>(1 / beta_);
      beta_ *= kBetaGrowth;
    }
    at::parallel_for(0, rows_.rows(), 1, [&](int64_t begin, int64_t end) {
      std::vector<int32_t> scratch(static_cast<size_t>(rows_.longest_row()));
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        for (size_t k = 0; k < kRoundsAtOnce; ++k) {
          const HqoRound result = round(i, numbers_[i], inverse_betas[k], scratch.data());
          rounds_[i].numbers[k] = std::exchange(numbers_[i], result.better);
          rounds_[i].errors[k] = result.error;
        }
      }
    });
  }

  /// False once the loss no longer falls.
  bool keep_better() {
    for (size_t k = 0; k < kRoundsAtOnce; ++k) {
      double sum = 0;
      for (const Rounds& row : rounds_) sum += row.errors[k];
      const auto loss = static_cast<float>(sum / static_cast<double>(rows_.values().numel()));
      if (!(loss < best_loss_)) return false;
      best_loss_ = loss;
      for (size_t i = 0; i < best_.size(); ++i) best_[i] = rounds_[i].numbers[k];
    }
    return true;
  }

  const Partition& rows_;
  std::vector<float> numbers_;
  std::vector<float> best_;
  std::vector<Rounds> rounds_ = std::vector<Rounds>(numbers_.size());
  double beta_;
  float best_loss_ = std::numeric_limits<float>::infinity();
};

std::vector<Range> row_ranges(const Partition& rows) {
  std::vector<Range> ranges;
  for (int64_t i = 0; i < rows.rows(); ++i) {
    const Partition::Row row = rows.row(i);
    ranges.push_back(range_of(rows.data() + row.begin, row.size));
  }
  return ranges;
}

}  // namespace

RowSolutions hqo_scales(const Partition& rows, const Quantizer& quantizer) {
  const auto divisor = static_cast<float>(threshold_divisor(quantizer));
  std::vector<float> thresholds;
  for (const Range& range : row_ranges(rows)) thresholds.push_back(range.absmax());
  const auto scale_of = [&](float threshold) {
    return scale_of_threshold(std::abs(threshold), quantizer);
  };
  const auto round = [&](size_t index, float threshold, float inverse_beta, int32_t* scratch) {
    const Partition::Row row = rows.row(static_cast<int64_t>(index));
    const auto params = std::get<QParams>(element_params(quantizer, scale_of(threshold), 0));
    HqoRound result =
        better_scale(rows.data() + row.begin, row.size, params, inverse_beta, scratch);
    const float next = result.better * divisor;
    result.better = std::isfinite(next) ? next : threshold;
    return result;
  };
  thresholds = Search(rows, std::move(thresholds), kScaleBeta).run(round);
  for (float& threshold : thresholds) threshold = scale_of(threshold);
  return {thresholds, {}};
}

RowSolutions hqo_zero_points(const Partition& rows, const Quantizer& quantizer) {
  RowSolutions solution;
  std::vector<float> zeros;
  for (const Range& range : row_ranges(rows)) {
    solution.scales.push_back(scale_of_threshold(range.interval(), quantizer));
    zeros.push_back(range.zero());
  }
  const auto round = [&](size_t index, float zero, float inverse_beta, int32_t*) {
    const Partition::Row row = rows.row(static_cast<int64_t>(index));
    const float scale = solution.scales[index];
    const auto params = std::get<QParams>(element_params(quantizer, scale, -zero / scale));
    return better_zero(rows.data() + row.begin, row.size, params, inverse_beta);
  };
  zeros = Search(rows, std::move(zeros), kZeroBeta).run(round);
  for (size_t i = 0; i < zeros.size(); ++i) {
    solution.zero_points.push_back(std::abs(zeros[i]) / solution.scales[i]);
  }
  return solution;
}

}  // namespace ptq::quant
