#include "ir/clamp.h"

#include <ATen/ops/full.h>

#include <string_view>

#include "ir/opaque_words.h"

namespace ptq::ir {
namespace {

at::Tensor number(double value) { return at::full({}, value, at::kFloat); }

/// False if there is such an argument, and it is neither a bound nor None.
bool read_bound(const Opaque& op, size_t index, at::Tensor& bound) {
  if (index >= op.arguments.size()) return true;
  const Argument& argument = op.arguments[index];
  if (std::holds_alternative<std::monostate>(argument)) return true;
  if (const auto* tensor = std::get_if<at::Tensor>(&argument)) {
    bound = *tensor;
    return true;
  }
  const auto* whole = std::get_if<Dim>(&argument);
  if (!std::holds_alternative<double>(argument) && (whole == nullptr || whole->times_batch)) {
    return false;
  }
  bound = number(number_in(argument));
  return true;
}

std::optional<ClampBounds> bounds_of(const Opaque& op) {
  const std::string_view name = plain_name(op);
  const bool has_both = name == "hardtanh" || name == "clamp";
  const bool has_lowest = has_both || name == "clamp_min";
  const bool has_highest = has_both || name == "clamp_max";
  if ((!has_lowest && !has_highest) || op.arguments.size() < 2) return std::nullopt;
  ClampBounds bounds;
  if (has_lowest && !read_bound(op, 1, bounds.lowest)) return std::nullopt;
  if (has_highest && !read_bound(op, has_both ? 2 : 1, bounds.highest)) return std::nullopt;
  return bounds;
}

}  // namespace

std::optional<ClampBounds> clamp_bounds(const Op& op) {
  if (const auto* relu6 = std::get_if<Relu6>(&op)) {
    return ClampBounds{number(0), relu6->ceiling ? relu6->ceiling->value : number(6)};
  }
  const auto* opaque = std::get_if<Opaque>(&op);
  return opaque == nullptr ? std::nullopt : bounds_of(*opaque);
}

Op clamp_to(const ClampBounds& bounds, const std::string& name) {
  const auto& [lowest, highest] = bounds;
  if (lowest.defined() && highest.defined() && lowest.eq(0).all().item<bool>()) {
    return Relu6{{}, Parameter{name + ".ceiling", highest}};
  }
  const auto argument = [](const at::Tensor& bound) {
    return bound.defined() ? Argument(bound) : Argument(std::monostate{});
  };
  return Opaque{"aten::clamp", "Tensor", {InputRef{0}, argument(lowest), argument(highest)}, 0};
}

}  // namespace ptq::ir
