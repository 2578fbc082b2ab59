#include "passes/input_moments.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "passes/small_products.h"
#include "passes/unfold.h"
#include "passes/weight_rows.h"
#include "ptq/base/error.h"
#include "ptq/runtime/gemm.h"

namespace ptq::passes {
namespace {

/// Floats that an unfolded piece of input takes.
constexpr int64_t kMostUnfolded = int64_t{4} << 20;
/// Rows of a symmetric product that are computed at once, from the diagonal to the right.
constexpr int64_t kBlock = 256;
/// The same where each core unfolds what it needs itself: it stays in the core's own cache.
constexpr int64_t kMostOfGroup = int64_t{1} << 15;
/// Up to this many rows, oneDNN takes longer to pack matrices than we to multiply them.
constexpr int64_t kSmall = 32;

/// x xᵀ, the blocks on and above the diagonal.
void add_symmetric(at::Tensor sum, const at::Tensor& x, float factor) {
  const int64_t depth = x.size(0);
  for (int64_t begin = 0; begin < depth; begin += kBlock) {
    const int64_t rows = std::min(kBlock, depth - begin), rest = depth - begin;
    at::Tensor part = sum.narrow(0, begin, rows).narrow(1, begin, rest);
    runtime::add_product(part, x.narrow(0, begin, rows), x.narrow(0, begin, rest).t(), factor);
  }
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

}  // namespace

InputMoments::InputMoments(const ir::Op& op, Options options)
    : op_(op), options_(std::move(options)), groups_(groups_of(op)) {
  const at::Tensor rows = weight_rows(op, ir::weighted(op)->weight.value);
  depth_ = rows.size(2);
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
}

int64_t InputMoments::columns_of(const at::Tensor& input) const {
  if (std::holds_alternative<ir::Linear>(op_)) return input.numel() / depth_;
  return Unfold(op_, input.sizes()).columns();
}

void InputMoments::add(const at::Tensor& input, double factor) {
  if (options_.cross) throw InternalError("cross moments need two inputs");
  add_all(input, {}, factor);
}

void InputMoments::add(const at::Tensor& input, const at::Tensor& float_input, double factor) {
  if (!options_.cross || input.sizes() != float_input.sizes()) {
    throw InternalError("moments of two inputs need two of one size");
  }
  add_all(input, float_input, factor);
}

void InputMoments::add_all(const at::Tensor& input, const at::Tensor& float_input, double factor) {
  if (std::holds_alternative<ir::Linear>(op_)) {
    const auto columns = [&](const at::Tensor& rows) {
      return rows.defined() ? rows.reshape({-1, depth_}).t() : rows;
    };
    add_columns({columns(input), columns(float_input)}, factor);
    return;
  }
  const Unfold unfold(op_, input.sizes());
  if (has_small_groups() && options_.fraction >= 1) {
    add_small_groups(unfold, input, float_input, factor);
    return;
  }
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
    add_columns({piece(input), piece(float_input)}, factor);
  }
}

/// Group by group, so that no more than a piece of one is unfolded at a time.
void InputMoments::add_small_groups(const Unfold& unfold, const at::Tensor& input,
                                    const at::Tensor& float_input, double factor) {
  columns_ += unfold.columns();
  const int64_t at_once = std::max<int64_t>(1, kMostOfGroup / (depth_ * unfold.line_length()));
  std::vector<double> energies(static_cast<size_t>(groups_), 0);
  at::parallel_for(0, groups_, 1, [&](int64_t first, int64_t last) {
    for (int64_t group = first; group < last; ++group) {
      for (int64_t begin = 0; begin < unfold.lines(); begin += at_once) {
        const int64_t end = std::min(begin + at_once, unfold.lines());
        const auto piece = [&](const at::Tensor& images) {
          if (!images.defined()) return images;
          const at::Tensor columns = at::empty({depth_, (end - begin) * unfold.line_length()});
          unfold.fill_rows(images, group * depth_, (group + 1) * depth_, begin, end,
                           columns.data_ptr<float>());
          return columns;
        };
        energies[static_cast<size_t>(group)] +=
            add_group(group, {piece(input), piece(float_input)}, factor);
      }
    }
  });
  for (const double energy : energies) energy_ += factor * energy;
}

/// Of each piece its part, so that every stretch of the images is there.
InputMoments::Columns InputMoments::sample(const Columns& columns) {
  if (options_.fraction >= 1) return columns;
  const int64_t count = columns.input.size(1);
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
  const at::Tensor index = at::tensor(picked, at::kLong);
  const auto of = [&](const at::Tensor& all) {
    return all.defined() ? all.index_select(1, index).contiguous() : all;
  };
  return {of(columns.input), of(columns.float_input)};
}

void InputMoments::add_columns(const Columns& all, double factor) {
  columns_ += all.input.size(1);
  const Columns columns = sample(all);
  std::vector<double> energies(static_cast<size_t>(groups_));
  const auto add_one = [&](int64_t group) {
    const auto own = [&](const at::Tensor& rows) {
      return rows.defined() ? rows.narrow(0, group * depth_, depth_) : rows;
    };
    energies[static_cast<size_t>(group)] =
        add_group(group, {own(columns.input), own(columns.float_input)}, factor);
  };
  if (!has_small_groups()) {
    for (int64_t group = 0; group < groups_; ++group) add_one(group);
  } else {
    at::parallel_for(0, groups_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t group = begin; group < end; ++group) add_one(group);
    });
  }
  for (const double energy : energies) energy_ += factor * energy;
}

/// Returns the energy of the float output.
double InputMoments::add_group(int64_t group, const Columns& columns, double factor) {
  at::Tensor hessian = hessian_.select(0, group);
  at::Tensor cross = options_.cross ? cross_.select(0, group) : at::Tensor();
  const auto scale = static_cast<float>(factor);
  if (options_.means) {
    input_sums_.select(0, group).add_(columns.input.sum(1), scale);
    if (cross.defined()) float_sums_.select(0, group).add_(columns.float_input.sum(1), scale);
  }
  if (has_small_groups()) {
    add_small_product(hessian, columns.input, columns.input, scale);
    if (cross.defined()) add_small_product(cross, columns.input, columns.float_input, scale);
  } else {
    add_symmetric(hessian, columns.input, scale);
    if (cross.defined()) {
      runtime::add_product(cross, columns.input, columns.float_input.t(), scale);
    }
  }
  return cross.defined() ? energy_of(group, columns.float_input) : 0;
}

bool InputMoments::has_small_groups() const { return depth_ <= kSmall && groups_ > 1; }

double InputMoments::energy_of(int64_t group, const at::Tensor& float_input) const {
  const at::Tensor rows = options_.float_rows.select(0, group);
  if (has_small_groups()) return small_energy(rows, float_input);
  const at::Tensor outputs = runtime::product(rows, float_input);
  return sum_of_squares(outputs.data_ptr<float>(), outputs.numel());
}

const at::Tensor& InputMoments::hessian() {
  for (int64_t group = 0; group < groups_; ++group) mirror(hessian_.select(0, group));
  return hessian_;
}

}  // namespace ptq::passes
