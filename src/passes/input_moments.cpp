#include "passes/input_moments.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "passes/lane_moments.h"
#include "passes/unfold.h"
#include "passes/weight_rows.h"
#include "ptq/base/error.h"
#include "ptq/runtime/gemm.h"

namespace ptq::passes {
namespace {

/// Floats that an unfolded piece of input takes.
constexpr int64_t kMostUnfolded = int64_t{4} << 20;
/// Rows of a symmetric product that are computed at once, from the diagonal to the right.
constexpr int64_t kBlock = 96;
/// Up to this depth, oneDNN takes longer to pack matrices than we to multiply them.
constexpr int64_t kSmall = 32;
/// Pieces of work that side by side products are cut into, at least, where the rows allow it.
constexpr int64_t kPieces = 16;

/// xᵀ x, the blocks on and above the diagonal.
void add_symmetric(const at::Tensor& sum, const at::Tensor& x, float factor) {
  const int64_t depth = x.size(1);
  for (int64_t begin = 0; begin < depth; begin += kBlock) {
    const int64_t columns = std::min(kBlock, depth - begin), rest = depth - begin;
    at::Tensor part = sum.narrow(0, begin, columns).narrow(1, begin, rest);
    runtime::add_product(part, x.narrow(1, begin, columns).t(), x.narrow(1, begin, rest), factor);
  }
}

/// What is right on and above the diagonal of blocks becomes right below it.
void mirror(const at::Tensor& sum) {
  const int64_t depth = sum.size(0);
  for (int64_t begin = kBlock; begin < depth; begin += kBlock) {
    const int64_t rows = std::min(kBlock, depth - begin);
    sum.narrow(0, begin, rows)
        .narrow(1, 0, begin)
        .copy_(sum.narrow(1, begin, rows).narrow(0, 0, begin).t());
  }
}

double sum_of_squares(const at::Tensor& values) {
  return values.square().sum(at::kDouble).item<double>();
}

/// Rows begin .. end - 1 of one group, [end - begin, depth].
at::Tensor unfolded(const Unfold& unfold, const at::Tensor& input, int64_t group, int64_t begin,
                    int64_t end) {
  const int64_t depth = unfold.depth();
  if (unfold.is_input()) {
    const at::Tensor rows = input.view({unfold.rows(), unfold.groups() * depth});
    return rows.narrow(0, begin, end - begin).narrow(1, group * depth, depth);
  }
  at::Tensor rows = at::empty({end - begin, depth});
  at::parallel_for(begin, end, 64, [&](int64_t first, int64_t last) {
    unfold.fill(input, group, first, last, rows.data_ptr<float>() + (first - begin) * depth);
  });
  return rows;
}

}  // namespace

InputMoments::InputMoments(const ir::Op& op, Options options)
    : op_(op), options_(std::move(options)), groups_(groups_of(op)) {
  const at::Tensor& weight = ir::weighted(op)->weight.value;
  const at::Tensor rows = weight_rows(op, weight);
  depth_ = rows.size(2);
  taps_ = weight.numel() / (weight.size(0) * weight.size(1));
  hessian_ = at::zeros({groups_, depth_, depth_});
  if (options_.means) {
    input_sums_ = at::zeros({groups_, depth_});
    float_sums_ = at::zeros({groups_, depth_});
  }
  if (!options_.cross) return;
  cross_ = at::zeros({groups_, depth_, depth_});
  if (options_.float_rows.sizes() != rows.sizes()) {
    throw InternalError("cross moments need the float weight by rows");
  }
  float_rows_ = options_.float_rows.view({groups_, -1, depth_ / taps_, taps_})
                    .transpose(2, 3)
                    .reshape({groups_, -1, depth_});
}

int64_t InputMoments::columns_of(const at::Tensor& input) const {
  return Unfold(op_, input.sizes()).rows();
}

void InputMoments::add(const at::Tensor& input, double factor) {
  if (options_.cross) throw InternalError("cross moments need two inputs");
  add_all({input, {}}, factor);
}

void InputMoments::add(const at::Tensor& input, const at::Tensor& float_input, double factor) {
  if (!options_.cross || input.sizes() != float_input.sizes()) {
    throw InternalError("moments of two inputs need two of one size");
  }
  add_all({input, float_input}, factor);
}

void InputMoments::add_all(const Pair& inputs, double factor) {
  const Unfold unfold(op_, inputs.input.sizes());
  Pair own{unfold.channels_innermost(inputs.input), {}};
  if (options_.cross) own.float_input = unfold.channels_innermost(inputs.float_input);
  columns_ += unfold.rows();
  if (has_small_groups() && options_.fraction >= 1) {
    add_lanes(unfold, own, factor);
  } else {
    add_rows(unfold, own, factor);
  }
}

bool InputMoments::has_small_groups() const { return depth_ <= kSmall && groups_ > 1; }

void InputMoments::add_rows(const Unfold& unfold, const Pair& inputs, double factor) {
  const int64_t at_once =
      unfold.is_input() ? unfold.rows() : std::max<int64_t>(1, kMostUnfolded / depth_);
  for (int64_t begin = 0; begin < unfold.rows(); begin += at_once) {
    const int64_t end = std::min(begin + at_once, unfold.rows());
    const at::Tensor picked = options_.fraction < 1 ? drawn(end - begin) : at::Tensor();
    for (int64_t group = 0; group < groups_; ++group) {
      const auto rows_of = [&](const at::Tensor& input) {
        if (!input.defined()) return input;
        const at::Tensor rows = unfolded(unfold, input, group, begin, end);
        return picked.defined() ? rows.index_select(0, picked) : rows;
      };
      add_group(group, {rows_of(inputs.input), rows_of(inputs.float_input)}, factor);
    }
  }
}

/// Of `count` rows those that take part. Of each piece its share, so that every stretch of the
/// images is there.
at::Tensor InputMoments::drawn(int64_t count) {
  const auto wanted = static_cast<int64_t>(
      std::max(1.0, std::round(options_.fraction * static_cast<double>(count))));
  std::vector<int64_t> picked(static_cast<size_t>(count));
  std::iota(picked.begin(), picked.end(), int64_t{0});
  for (int64_t i = 0; i < wanted; ++i) {
    const auto rest = static_cast<uint64_t>(count - i);
    std::swap(picked[static_cast<size_t>(i)],
              picked[static_cast<size_t>(i) + static_cast<size_t>(random_() % rest)]);
  }
  picked.resize(static_cast<size_t>(wanted));
  return at::tensor(picked, at::kLong);
}

void InputMoments::add_group(int64_t group, const Pair& rows, double factor) {
  const auto scale = static_cast<float>(factor);
  add_symmetric(hessian_.select(0, group), rows.input, scale);
  if (options_.means) {
    input_sums_.select(0, group).add_(rows.input.sum(0), scale);
    if (options_.cross) float_sums_.select(0, group).add_(rows.float_input.sum(0), scale);
  }
  if (!options_.cross) return;
  at::Tensor cross = cross_.select(0, group);
  runtime::add_product(cross, rows.input.t(), rows.float_input, scale);
  energy_ +=
      factor * sum_of_squares(runtime::product(rows.float_input, float_rows_.select(0, group).t()));
}

/// The pieces and their order do not depend on the number of threads.
void InputMoments::add_lanes(const Unfold& unfold, const Pair& inputs, double factor) {
  const int64_t blocks = (groups_ + kLanes - 1) / kLanes;
  const int64_t pieces = std::min(unfold.lines(), (kPieces + blocks - 1) / blocks);
  const LaneInputs lanes{unfold, inputs.input, inputs.float_input, float_rows_, options_.means};
  std::vector<LaneMoments> sums(static_cast<size_t>(blocks * pieces));
  at::parallel_for(0, blocks * pieces, 1, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t piece = i % pieces;
      sums[static_cast<size_t>(i)] =
          lane_moments(lanes, i / pieces * kLanes, unfold.lines() * piece / pieces,
                       unfold.lines() * (piece + 1) / pieces);
    }
  });
  for (int64_t i = 0; i < blocks * pieces; ++i) {
    add_lane_moments(sums[static_cast<size_t>(i)], i / pieces * kLanes, factor);
  }
}

void InputMoments::add_lane_moments(const LaneMoments& sums, int64_t first_group, double factor) {
  const int64_t used = std::min(kLanes, groups_ - first_group);
  const auto add = [&](const std::vector<double>& from, const at::Tensor& to) {
    if (from.empty()) return;
    const int64_t count = to.numel() / groups_;
    float* const values = to.data_ptr<float>() + first_group * count;
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t lane = 0; lane < used; ++lane) {
        values[lane * count + i] +=
            static_cast<float>(factor * from[static_cast<size_t>(i * kLanes + lane)]);
      }
    }
  };
  add(sums.hessian, hessian_);
  add(sums.cross, cross_);
  add(sums.input_sums, input_sums_);
  if (options_.cross) add(sums.float_sums, float_sums_);
  energy_ += factor * sums.energy;
}

/// [groups, K] or [groups, K, K].
at::Tensor InputMoments::in_weight_order(const at::Tensor& sums) const {
  const int64_t channels = depth_ / taps_;
  if (sums.dim() == 2) {
    return sums.view({groups_, taps_, channels}).transpose(1, 2).reshape({groups_, depth_});
  }
  return sums.view({groups_, taps_, channels, taps_, channels})
      .permute({0, 2, 1, 4, 3})
      .reshape({groups_, depth_, depth_});
}

at::Tensor InputMoments::hessian() const {
  const at::Tensor whole = hessian_.clone();
  for (int64_t group = 0; group < groups_; ++group) {
    mirror(whole.select(0, group));
  }
  return in_weight_order(whole);
}

at::Tensor InputMoments::cross() const { return in_weight_order(cross_); }

}  // namespace ptq::passes
