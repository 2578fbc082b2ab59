#include "ir/padding.h"

#include <algorithm>

namespace ptq::ir {
namespace {

/// Where each operator has its number; absent or None is zero.
bool pads_with_zero(const Opaque& op, size_t position) {
  if (op.arguments.size() <= position) return true;
  const Argument& value = op.arguments[position];
  if (const auto* real = std::get_if<double>(&value)) return *real == 0;
  if (const auto* whole = std::get_if<Dim>(&value)) return *whole == Dim{0, false};
  return std::holds_alternative<std::monostate>(value);
}

bool is_zero_padding(const Opaque& op) {
  if (op.schema == "aten::constant_pad_nd") return pads_with_zero(op, 2);
  if (op.schema != "aten::pad" || op.arguments.size() < 3) return false;
  const auto* mode = std::get_if<std::string>(&op.arguments[2]);
  return mode != nullptr && *mode == "constant" && pads_with_zero(op, 3);
}

}  // namespace

std::optional<Ints> zero_padding(const Op& op) {
  const auto* opaque = std::get_if<Opaque>(&op);
  if (opaque == nullptr || opaque->arguments.size() < 2 || !is_zero_padding(*opaque)) return {};
  const auto* pads = std::get_if<Dims>(&opaque->arguments[1]);
  if (pads == nullptr) return {};
  const bool grows =
      std::any_of(pads->begin(), pads->end(), [](const Dim& pad) { return pad.times_batch; });
  if (grows) return {};
  Ints padding;
  for (const Dim& pad : *pads) padding.push_back(pad.value);
  return padding;
}

bool pads_axis(const Ints& padding, size_t rank, int64_t axis) {
  const auto from_end = 2 * (rank - 1 - static_cast<size_t>(axis));
  if (from_end + 1 >= padding.size()) return false;
  return padding[from_end] != 0 || padding[from_end + 1] != 0;
}

}  // namespace ptq::ir
