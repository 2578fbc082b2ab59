#include "runtime/integer/epilogue.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/cpu_isa.h"
#include "runtime/integer/epilogue_vector.h"
#include "runtime/integer/product_kernel.h"
#include "runtime/steps/step.h"

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

/// One operation on one value, whatever else there is.
bool is_of_one_value(const TailOp& op, const at::Tensor& operand) {
  return op.input == kNoOperand && (!operand.defined() || operand.numel() == 1);
}

std::optional<quant::ByteFormat> bytes_of(const TailOp& op) {
  if (op.kind == TailKind::kQuantize) return op.codes;
  const auto* params = std::get_if<quant::QParams>(&op.params);
  if (op.kind != TailKind::kFakeQuantize || params == nullptr) return std::nullopt;
  const quant::ByteFormat format{*params, params->quant_min < 0 ? 128 : 0};
  const bool fits = format.smallest() >= 0 && format.largest() <= 255 &&
                    params->zero_point == std::nearbyint(params->zero_point) &&
                    params->zero_point >= params->quant_min &&
                    params->zero_point <= params->quant_max;
  return fits ? std::optional(format) : std::nullopt;
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
  if (!may_use(CpuIsa::kAvx2) || find_codes() || !may_use(CpuIsa::kAvx512)) return;
  vector_ = true;
  for (size_t i = 0; i < tail_.size() && vector_; ++i) vector_ = add_stage(tail_[i], operands_[i]);
}

/// Clamps, ceilings and a quantization: codes do not fall where what they stand for rises, so that
/// what clamps before a quantization clamps its codes. What follows up to the last quantization, if
/// only of one value at a time, is a table of codes.
bool Epilogue::find_codes() {
  if (!makes_codes(tail_)) return false;
  size_t i = 0;
  while (tail_[i].kind == TailKind::kRelu || tail_[i].kind == TailKind::kRelu6) ++i;
  const size_t clamps = i;
  while (tail_[i].kind == TailKind::kMin && tail_[i].input == kNoOperand) ++i;
  const std::optional<quant::ByteFormat> format = bytes_of(tail_[i]);
  if (!format) return false;
  const quant::Reciprocal reciprocal = quant::reciprocal_of(format->params);
  if (reciprocal.near_tie < 0) return false;
  // Codes are rounded before the zero point is added, which a tie may not survive: the definition
  // rounds the sum, by less than 2^-15.
  constexpr float kNearTie = 0.5F - 1.0F / 4096;
  const float near_tie = format->params.zero_point == 0 ? reciprocal.near_tie
                                                        : std::min(reciprocal.near_tie, kNearTie);
  const auto byte_of = [&](float value) {
    return static_cast<int>(quant::quantize(value, format->params)) + format->offset;
  };
  int low = format->smallest(), high = format->largest();
  for (size_t clamp = 0; clamp < clamps; ++clamp) {
    low = std::max(low, byte_of(0));
    if (tail_[clamp].kind == TailKind::kRelu6) high = std::min(high, byte_of(6));
  }
  ToCodes to{*format, low,
             std::vector<uint8_t>(static_cast<size_t>(row_size_), static_cast<uint8_t>(high)),
             reciprocal.value, near_tie};
  for (size_t ceiling = clamps; ceiling < i; ++ceiling) {
    if (!add_ceilings(operands_[ceiling], to)) return false;
  }
  if (i + 1 < tail_.size() && !find_table(i + 1, *format)) return false;
  to_codes_ = std::move(to);
  return true;
}

/// One ceiling, or one a column. False where one is no number.
bool Epilogue::add_ceilings(const at::Tensor& ceilings, ToCodes& to) {
  const float* from = ceilings.data_ptr<float>();
  const auto count = static_cast<size_t>(ceilings.numel());
  if (std::any_of(from, from + count, [](float x) { return std::isnan(x); })) return false;
  for (size_t i = 0; i < to.ceilings.size(); ++i) {
    const auto code = static_cast<int>(quant::quantize(from[i % count], to.format.params));
    const auto byte = static_cast<uint8_t>(code + to.format.offset);
    to.ceilings[i] = std::min(to.ceilings[i], byte);
  }
  return true;
}

/// The byte that the operations from `first` on make of each byte of `format`.
bool Epilogue::find_table(size_t first, const quant::ByteFormat& format) {
  std::array<float, 256> values{};
  for (size_t byte = 0; byte < values.size(); ++byte) {
    values[byte] = quant::dequantize(static_cast<uint8_t>(byte), format);
  }
  for (size_t i = first; i + 1 < tail_.size(); ++i) {
    if (!is_of_one_value(tail_[i], operands_[i])) return false;
    const float* operand = operands_[i].defined() ? operands_[i].data_ptr<float>() : nullptr;
    apply_tail_op(tail_[i], values.data(), operand, 0, static_cast<int64_t>(values.size()));
  }
  table_.resize(values.size());
  quant::quantize(values.data(), table_.data(), static_cast<int64_t>(values.size()),
                  *tail_.back().codes);
  return true;
}

void Epilogue::look_up(const SumTile& tile) const {
  uint8_t* row = static_cast<uint8_t*>(out_) + tile.first_row * row_size_ + tile.first_column;
  for (int64_t i = 0; i < tile.rows; ++i, row += row_size_) {
    for (int64_t column = 0; column < tile.columns; ++column) row[column] = table_[row[column]];
  }
}

bool Epilogue::add_stage(const TailOp& op, const at::Tensor& operand) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Stage stage;
  const auto quantizing = [&](Stage::Kind kind) {
    const auto* params = std::get_if<quant::QParams>(&op.params);
    if (params == nullptr) return false;
    stage.kind = kind;
    stage.format = {*params, op.codes ? op.codes->offset : 0};
    const quant::Reciprocal reciprocal = quant::reciprocal_of(*params);
    stage.reciprocal = reciprocal.value, stage.near_tie = reciprocal.near_tie;
    return true;
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
  // Columns that fill no vector are for the loops below where loads cannot be masked.
  const bool wide = may_use(CpuIsa::kAvx512);
  if (to_codes_ && (wide || tile.columns % 8 == 0)) {
    const auto codes = wide ? codes_by_avx512 : codes_by_avx2;
    codes(*to_codes_, tile, columns, static_cast<uint8_t*>(out_), row_size_);
    if (!table_.empty()) look_up(tile);
    return;
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
  if (!bytes_) return store(tile, values, static_cast<float*>(out_));
  alignas(64) uint8_t codes[kTileElements];
  quant::quantize(values, codes, tile.rows * tile.columns, *tail_.back().codes);
  store(tile, codes, static_cast<uint8_t*>(out_));
}

/// Rows without gaps to where they belong.
template <class Element>
void Epilogue::store(const SumTile& tile, const Element* from, Element* to) const {
  to += tile.first_row * row_size_ + tile.first_column;
  const auto columns = static_cast<size_t>(tile.columns);
  for (int64_t row = 0; row < tile.rows; ++row, from += columns, to += row_size_) {
    std::memcpy(to, from, columns * sizeof(Element));
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
