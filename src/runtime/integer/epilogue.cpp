#include "runtime/integer/epilogue.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "ptq/base/cpu_isa.h"
#include "runtime/integer/epilogue_vector.h"
#include "runtime/integer/product_kernel.h"

namespace ptq::runtime::integer {
namespace {

bool lies_like(const Layout& operand, const Layout& out) {
  return operand.sizes == out.sizes && same_places(operand, out) &&
         (operand.dtype == at::kFloat || operand.codes);
}

/// Holds one value, or one a channel in broadcastable shape.
bool is_by_channel(const at::Tensor& constant, int rank, int channel_dim) {
  if (!constant.defined() || constant.scalar_type() != at::kFloat) return false;
  if (constant.numel() == 1) return true;
  const int64_t from_end = rank - channel_dim;
  return constant.dim() >= from_end && constant.size(-from_end) == constant.numel();
}

/// float32 keeps quotients this close to a tie apart from it: 1/s, the product and the sum with z
/// are each off by half a unit in the last place of numbers below 1024 at most.
constexpr float kNearTie = 0.5F - 1.0F / 2048;

/// Only numbers that no int32 holds are further from their integer.
constexpr float kNoTie = 1e6F;

bool is_power_of_two(float scale) {
  int exponent = 0;
  return std::frexp(scale, &exponent) == 0.5F && std::isnormal(1 / scale);
}

/// From where on a quotient by multiplication does not do: never where 1/s is exact, always where
/// codes are too large for the bound.
float near_tie(const quant::QParams& params) {
  if (is_power_of_two(params.scale)) return kNoTie;
  const float largest = std::max(
      {std::fabs(params.quant_min), std::fabs(params.quant_max), std::fabs(params.zero_point)});
  return largest <= 256 ? kNearTie : -1;
}

}  // namespace

size_t Epilogue::carried(const Tail& tail, const Layout& layout, const std::vector<Layout>& inputs,
                         int channel_dim) {
  size_t count = 0;
  for (const TailOp& op : tail) {
    const bool reads = op.input != kNoOperand;
    if (reads && !lies_like(inputs.at(static_cast<size_t>(op.input)), layout)) break;
    if (!reads && op.constant.defined() &&
        !is_by_channel(op.constant, static_cast<int>(layout.sizes.size()), channel_dim)) {
      break;
    }
    ++count;
  }
  return count;
}

Epilogue::Epilogue(Tail tail, const std::vector<at::Tensor>& inputs, const at::Tensor& out,
                   int64_t row_size)
    : tail_(std::move(tail)),
      out_(out.data_ptr()),
      bytes_(out.scalar_type() == at::kByte),
      row_size_(row_size) {
  for (const TailOp& op : tail_) {
    operands_.push_back(op.input == kNoOperand ? op.constant
                                               : inputs.at(static_cast<size_t>(op.input)));
  }
  plan_stages();
}

void Epilogue::plan_stages() {
  vector_ = may_use(CpuIsa::kAvx512);
  for (size_t i = 0; i < tail_.size() && vector_; ++i) vector_ = add_stage(tail_[i], operands_[i]);
  if (vector_) find_codes();
}

/// Codes do not fall where what they stand for rises, so that clamps before a quantization clamp
/// its codes.
void Epilogue::find_codes() {
  if (stages_.empty() || stages_.back().kind != Stage::Kind::kQuantize) return;
  const Stage& last = stages_.back();
  if (last.near_tie < 0) return;
  const quant::ByteFormat& format = last.format;
  const auto byte_of = [&](float value) {
    return static_cast<int>(quant::quantize(value, format.params)) + format.offset;
  };
  ToCodes to{format, format.smallest(), format.largest(), last.reciprocal, last.near_tie};
  for (size_t i = 0; i + 1 < stages_.size(); ++i) {
    if (stages_[i].kind != Stage::Kind::kClamp) return;
    const int low = byte_of(stages_[i].low), high = byte_of(stages_[i].high);
    to.low = std::min(std::max(to.low, low), high);
    to.high = std::min(std::max(to.high, low), high);
  }
  to_codes_ = to;
}

bool Epilogue::add_stage(const TailOp& op, const at::Tensor& operand) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Stage stage;
  const auto quantizing = [&](Stage::Kind kind) {
    const auto* params = std::get_if<quant::QParams>(&op.params);
    if (params == nullptr) return false;
    stage.kind = kind;
    stage.format = {*params, op.codes ? op.codes->offset : 0};
    stage.reciprocal = 1 / params->scale;
    stage.near_tie = near_tie(*params);
    return std::isnormal(stage.reciprocal);
  };
  switch (op.kind) {
    case TailKind::kRelu:
      stage.kind = Stage::Kind::kClamp, stage.low = 0, stage.high = kInfinity;
      break;
    case TailKind::kRelu6:
      stage.kind = Stage::Kind::kClamp, stage.low = 0, stage.high = 6;
      break;
    case TailKind::kFakeQuantize:
      if (!quantizing(Stage::Kind::kFake)) return false;
      break;
    case TailKind::kQuantize:
      if (!quantizing(Stage::Kind::kQuantize)) return false;
      break;
    case TailKind::kAdd:
      if (op.input == kNoOperand) return false;
      stage.kind = op.codes ? Stage::Kind::kAddBytes : Stage::Kind::kAddFloats;
      if (op.codes) stage.format = *op.codes;
      stage.operand = operand.data_ptr();
      break;
    default:
      return false;
  }
  stages_.push_back(stage);
  return true;
}

void Epilogue::apply(const SumTile& tile, const Columns& columns) const {
#if defined(__x86_64__)
  if (to_codes_) {
    return apply_to_codes(*to_codes_, tile, columns, static_cast<uint8_t*>(out_), row_size_);
  }
  if (vector_) return Vector::apply(*this, tile, columns);
#endif
  apply_generic(tile, columns);
}

void Epilogue::apply_generic(const SumTile& tile, const Columns& columns) const {
  alignas(64) float values[kTileElements];
  values_of(tile, columns, values);
  for (size_t i = 0; i < tail_.size(); ++i) {
    if (tail_[i].kind != TailKind::kQuantize) apply_tail(i, tile, values);
  }
  const int64_t first = tile.first_row * row_size_ + tile.first_column;
  const auto columns_now = static_cast<size_t>(tile.columns);
  for (int64_t row = 0; row < tile.rows; ++row) {
    const float* from = values + row * tile.columns;
    const int64_t to = first + row * row_size_;
    if (bytes_) {
      quant::quantize(from, static_cast<uint8_t*>(out_) + to, tile.columns, *tail_.back().codes);
    } else {
      std::memcpy(static_cast<float*>(out_) + to, from, columns_now * sizeof(float));
    }
  }
}

/// One operation over all of a tile, or row by row where it has an operand.
void Epilogue::apply_tail(size_t i, const SumTile& tile, float* values) const {
  const TailOp& op = tail_[i];
  const at::Tensor& operand = operands_[i];
  if (!operand.defined()) {
    return apply_tail_op(op, values, nullptr, 0, tile.rows * tile.columns);
  }
  if (op.input == kNoOperand && operand.numel() == 1) {
    return apply_tail_op(op, values, operand.data_ptr<float>(), 0, tile.rows * tile.columns);
  }
  alignas(64) float dequantized[kTileElements];
  for (int64_t row = 0; row < tile.rows; ++row, values += tile.columns) {
    const int64_t place = (tile.first_row + row) * row_size_ + tile.first_column;
    const float* from = dequantized;
    if (op.input == kNoOperand) {
      from = operand.data_ptr<float>() + tile.first_column;
    } else if (op.codes) {
      quant::dequantize(operand.data_ptr<uint8_t>() + place, dequantized, tile.columns, *op.codes);
    } else {
      from = operand.data_ptr<float>() + place;
    }
    apply_tail_op(op, values, from, 1, tile.columns);
  }
}

}  // namespace ptq::runtime::integer
