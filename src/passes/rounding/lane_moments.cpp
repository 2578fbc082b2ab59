#include "passes/rounding/lane_moments.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>

#include "passes/rounding/lane_products.h"

namespace ptq::passes {
namespace {

/// What is on and above the diagonals becomes right below them.
void mirror_lanes(std::vector<double>& sums, int64_t depth) {
  for (int64_t i = 0; i < depth; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      std::copy_n(sums.begin() + (j * depth + i) * kLanes, kLanes,
                  sums.begin() + (i * depth + j) * kLanes);
    }
  }
}

/// Sums of `count` times kLanes numbers: in float32 over some rows, in float64 over all.
class LaneSum {
 public:
  explicit LaneSum(int64_t count = 0)
      : some_(static_cast<size_t>(count * kLanes)), all_(some_.size()) {}

  /// Where to add the sums of as many further rows.
  float* next(int64_t rows) {
    constexpr int64_t kMostRows = 128;
    if (rows_ + rows > kMostRows) flush();
    rows_ += rows;
    return some_.data();
  }
  std::vector<double> take() {
    flush();
    return std::move(all_);
  }

 private:
  void flush() {
    for (size_t i = 0; i < some_.size(); ++i) all_[i] += some_[i];
    std::fill(some_.begin(), some_.end(), 0.0F);
    rows_ = 0;
  }

  std::vector<float> some_;
  std::vector<double> all_;
  int64_t rows_ = 0;
};

std::vector<float> numbers(int64_t count) { return std::vector<float>(static_cast<size_t>(count)); }

/// [out / groups, K, kLanes], zero where there are no more groups.
std::vector<float> weight_in_lanes(const at::Tensor& rows, int64_t first_group, int64_t used) {
  const int64_t outputs = rows.size(1), depth = rows.size(2);
  std::vector<float> weight = numbers(outputs * depth * kLanes);
  at::from_blob(weight.data(), {outputs, depth, kLanes})
      .narrow(2, 0, used)
      .copy_(rows.narrow(0, first_group, used).permute({1, 2, 0}));
  return weight;
}

}  // namespace

LaneMoments lane_moments(const LaneInputs& inputs, int64_t first_group, const int64_t* begin,
                         const int64_t* end) {
  const int64_t used = std::min(kLanes, inputs.unfold.groups() - first_group);
  const bool has_float = inputs.float_input.defined();
  const LaneRows rows = inputs.unfold.rows();
  const int64_t depth = rows.rows();
  std::vector<float> x = numbers(rows.size), f, weight;
  LaneSum hessian(depth * depth), cross, input_sums, float_sums;
  if (inputs.means) input_sums = LaneSum(depth);
  if (inputs.means && has_float) float_sums = LaneSum(depth);
  if (has_float) {
    f = x;
    cross = LaneSum(depth * depth);
    weight = weight_in_lanes(inputs.float_rows, first_group, used);
  }
  double energy = 0;
  for (const int64_t* line = begin; line != end; ++line) {
    inputs.unfold.fill(inputs.input.data_ptr<float>(), first_group, used, *line, x.data());
    add_lane_products(x.data(), x.data(), rows, hessian.next(rows.count));
    if (inputs.means) add_lane_sums(x.data(), rows, input_sums.next(rows.count));
    if (!has_float) continue;
    inputs.unfold.fill(inputs.float_input.data_ptr<float>(), first_group, used, *line, f.data());
    add_lane_products(x.data(), f.data(), rows, cross.next(rows.count));
    if (inputs.means) add_lane_sums(f.data(), rows, float_sums.next(rows.count));
    energy += lane_energy(weight.data(), inputs.float_rows.size(1), f.data(), rows);
  }
  LaneMoments moments{hessian.take(), cross.take(), input_sums.take(), float_sums.take(), energy};
  mirror_lanes(moments.hessian, depth);
  return moments;
}

}  // namespace ptq::passes
