#include "passes/rounding/input_moments.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/ordered_sum.h"
#include "passes/rounding/add_scaled.h"
#include "passes/rounding/lane_moments.h"
#include "passes/rounding/unfold.h"
#include "passes/rounding/weight_rows.h"
#include "ptq/base/error.h"
#include "runtime/gemm.h"

namespace ptq::passes {
namespace {

/// Floats that an unfolded piece of input takes.
constexpr int64_t kMostUnfolded = int64_t{4} << 20;
/// Rows of a symmetric product that are computed at once, from the diagonal to the right.
constexpr int64_t kBlock = 96;
/// Columns that are multiplied in float32 before their sums are added in float64.
constexpr int64_t kColumnsAtOnce = 256;
/// Additions that are worth a thread.
constexpr int64_t kWorthThread = 32768;
/// Up to this many rows, oneDNN takes longer to pack matrices than we to multiply them.
constexpr int64_t kSmall = 32;
/// Parts that the work on lanes is cut into, at least, where there are so many lines.
constexpr int64_t kPieces = 16;

/// sum += factor a bᵀ, with `sum` float64.
void add_products(const at::Tensor& sum, const at::Tensor& a, const at::Tensor& b, double factor) {
  const int64_t rows = a.size(0), width = b.size(0);
  at::Tensor some = at::empty({rows, width});
  for (int64_t begin = 0; begin < a.size(1); begin += kColumnsAtOnce) {
    const int64_t count = std::min(kColumnsAtOnce, a.size(1) - begin);
    runtime::add_product(some, a.narrow(1, begin, count), b.narrow(1, begin, count).t(), 1, 0);
    at::parallel_for(0, rows, std::max<int64_t>(1, kWorthThread / width),
                     [&](int64_t first, int64_t last) {
                       for (int64_t i = first; i < last; ++i) {
                         add_scaled(sum.data_ptr<double>() + i * sum.stride(0),
                                    some.data_ptr<float>() + i * width, factor, width);
                       }
                     });
  }
}

/// x xᵀ, the blocks on and above the diagonal.
void add_symmetric(const at::Tensor& sum, const at::Tensor& x, double factor) {
  const int64_t depth = x.size(0);
  for (int64_t begin = 0; begin < depth; begin += kBlock) {
    const int64_t rows = std::min(kBlock, depth - begin), rest = depth - begin;
    add_products(sum.narrow(0, begin, rows).narrow(1, begin, rest), x.narrow(0, begin, rows),
                 x.narrow(0, begin, rest), factor);
  }
}

/// sum += factor times the sum of each row.
void add_sums(const at::Tensor& sum, const at::Tensor& rows, double factor) {
  sum.add_(rows.sum(1, false, at::kDouble), factor);
}

/// What is right on and above the diagonal of blocks becomes right below it.
void mirror(at::Tensor sum) {
  const int64_t depth = sum.size(0);
  for (int64_t begin = kBlock; begin < depth; begin += kBlock) {
    const int64_t rows = std::min(kBlock, depth - begin);
    sum.narrow(0, begin, rows)
        .narrow(1, 0, begin)
        .copy_(sum.narrow(1, begin, rows).narrow(0, 0, begin).t());
  }
}

double sum_of_squares(const at::Tensor& values) { return ordered_sum(values.square()); }

}  // namespace

InputMoments::InputMoments(const ir::Op& op, Options options)
    : op_(op), options_(std::move(options)), groups_(groups_of(op)) {
  const at::Tensor rows = weight_rows(op, ir::weighted(op)->weight.value);
  depth_ = rows.size(2);
  in_lanes_ = std::holds_alternative<ir::Conv>(op) && groups_ > 1 && depth_ <= kSmall;
  hessian_ = at::zeros({groups_, depth_, depth_}, at::kDouble);
  if (options_.means) {
    input_sums_ = at::zeros({groups_, depth_}, at::kDouble);
    float_sums_ = at::zeros({groups_, depth_}, at::kDouble);
  }
  if (!options_.cross) return;
  cross_ = at::zeros({groups_, depth_, depth_}, at::kDouble);
  if (options_.float_rows.sizes() != rows.sizes()) {
    throw InternalError("cross moments need the float weight by rows");
  }
}

int64_t InputMoments::columns_of(const at::Tensor& input) const {
  if (std::holds_alternative<ir::Linear>(op_)) return input.numel() / depth_;
  if (in_lanes_) return LaneUnfold(std::get<ir::Conv>(op_), input.sizes()).columns();
  return Unfold(op_, input.sizes()).columns();
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
  if (std::holds_alternative<ir::Linear>(op_)) {
    const auto columns = [&](const at::Tensor& rows) {
      return rows.defined() ? rows.reshape({-1, depth_}).t() : rows;
    };
    add_columns({columns(inputs.input), columns(inputs.float_input)}, factor);
  } else if (in_lanes_) {
    add_lanes(inputs, factor);
  } else {
    const auto contiguous = [](const at::Tensor& input) {
      return input.defined() ? input.contiguous() : input;
    };
    add_unfolded({contiguous(inputs.input), contiguous(inputs.float_input)}, factor);
  }
}

void InputMoments::add_unfolded(const Pair& inputs, double factor) {
  const Unfold unfold(op_, inputs.input.sizes());
  const int64_t at_once =
      std::max<int64_t>(1, kMostUnfolded / (unfold.rows() * unfold.line_length()));
  for (int64_t begin = 0; begin < unfold.lines(); begin += at_once) {
    const int64_t end = std::min(begin + at_once, unfold.lines());
    const auto piece = [&](const at::Tensor& images) {
      if (!images.defined()) return images;
      at::Tensor columns = at::empty({unfold.rows(), (end - begin) * unfold.line_length()});
      unfold.fill(images, begin, end, columns);
      return columns;
    };
    add_columns({piece(inputs.input), piece(inputs.float_input)}, factor);
  }
}

/// The pieces and their order do not depend on the number of threads.
void InputMoments::add_lanes(const Pair& inputs, double factor) {
  const LaneUnfold unfold(std::get<ir::Conv>(op_), inputs.input.sizes());
  const auto innermost = [](const at::Tensor& input) {
    return input.defined() ? input.movedim(1, -1).contiguous() : input;
  };
  const LaneInputs lanes{unfold, innermost(inputs.input), innermost(inputs.float_input),
                         options_.float_rows, options_.means};
  const std::vector<int64_t> lines = drawn(unfold.lines());
  const auto count = static_cast<int64_t>(lines.size());
  const int64_t blocks = (groups_ + kLanes - 1) / kLanes;
  const int64_t pieces = std::min(count, (kPieces + blocks - 1) / blocks);
  std::vector<LaneMoments> sums(static_cast<size_t>(blocks * pieces));
  at::parallel_for(0, blocks * pieces, 1, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t piece = i % pieces;
      sums[static_cast<size_t>(i)] =
          lane_moments(lanes, i / pieces * kLanes, lines.data() + count * piece / pieces,
                       lines.data() + count * (piece + 1) / pieces);
    }
  });
  for (int64_t i = 0; i < blocks * pieces; ++i) {
    add_lane_moments(sums[static_cast<size_t>(i)], i / pieces * kLanes, factor);
  }
  columns_ += unfold.columns();
}

void InputMoments::add_lane_moments(const LaneMoments& sums, int64_t first_group, double factor) {
  const int64_t used = std::min(kLanes, groups_ - first_group);
  const auto add = [&](const std::vector<double>& from, const at::Tensor& to) {
    if (from.empty()) return;
    const int64_t count = to.numel() / groups_;
    double* const values = to.data_ptr<double>() + first_group * count;
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t lane = 0; lane < used; ++lane) {
        values[lane * count + i] += factor * from[static_cast<size_t>(i * kLanes + lane)];
      }
    }
  };
  add(sums.hessian, hessian_);
  add(sums.cross, cross_);
  add(sums.input_sums, input_sums_);
  add(sums.float_sums, float_sums_);
  energy_ += factor * sums.energy;
}

/// As many of 0 .. count - 1 as `fraction` says, in the order drawn.
std::vector<int64_t> InputMoments::drawn(int64_t count) {
  std::vector<int64_t> picked(static_cast<size_t>(count));
  std::iota(picked.begin(), picked.end(), int64_t{0});
  if (options_.fraction >= 1) return picked;
  const auto wanted = static_cast<int64_t>(
      std::max(1.0, std::round(options_.fraction * static_cast<double>(count))));
  for (int64_t i = 0; i < wanted; ++i) {
    const auto rest = static_cast<uint64_t>(count - i);
    std::swap(picked[static_cast<size_t>(i)],
              picked[static_cast<size_t>(i) + static_cast<size_t>(random_() % rest)]);
  }
  picked.resize(static_cast<size_t>(wanted));
  return picked;
}

/// Of each piece its part, so that every stretch of the images is there.
InputMoments::Pair InputMoments::sample(const Pair& columns) {
  if (options_.fraction >= 1) return columns;
  const at::Tensor index = at::tensor(drawn(columns.input.size(1)), at::kLong);
  const auto of = [&](const at::Tensor& all) {
    return all.defined() ? all.index_select(1, index).contiguous() : all;
  };
  return {of(columns.input), of(columns.float_input)};
}

void InputMoments::add_columns(const Pair& all, double factor) {
  columns_ += all.input.size(1);
  const Pair columns = sample(all);
  for (int64_t group = 0; group < groups_; ++group) {
    const auto own = [&](const at::Tensor& rows) {
      return rows.defined() ? rows.narrow(0, group * depth_, depth_) : rows;
    };
    add_group(group, {own(columns.input), own(columns.float_input)}, factor);
  }
}

void InputMoments::add_group(int64_t group, const Pair& columns, double factor) {
  add_symmetric(hessian_.select(0, group), columns.input, factor);
  if (options_.means) {
    add_sums(input_sums_.select(0, group), columns.input, factor);
    if (options_.cross) add_sums(float_sums_.select(0, group), columns.float_input, factor);
  }
  if (!options_.cross) return;
  add_products(cross_.select(0, group), columns.input, columns.float_input, factor);
  const at::Tensor rows = options_.float_rows.select(0, group);
  energy_ += factor * sum_of_squares(runtime::product(rows, columns.float_input));
}

at::Tensor InputMoments::hessian() {
  if (in_lanes_) return hessian_;
  for (int64_t group = 0; group < groups_; ++group) mirror(hessian_.select(0, group));
  return hessian_;
}

}  // namespace ptq::passes
