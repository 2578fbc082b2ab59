#include "ir/clamp.h"

#include <ATen/ops/full.h>

#include <map>
#include <string_view>
#include <vector>

#include "ir/opaque_words.h"

namespace ptq::ir {
namespace {

at::Tensor number(double value) { return at::full({}, value, at::kFloat); }

/// False if the argument is neither a bound nor None.
bool read_bound(const Argument& argument, at::Tensor& bound) {
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
  ClampBounds bounds;
  using Order = std::vector<at::Tensor*>;
  at::Tensor *const lowest = &bounds.lowest, *const highest = &bounds.highest;
  const std::map<std::string_view, Order> orders = {{"hardtanh", {lowest, highest}},
                                                    {"clamp", {lowest, highest}},
                                                    {"clamp_min", {lowest}},
                                                    {"clamp_max", {highest}}};
  const auto order = orders.find(plain_name(op));
  if (order == orders.end() || op.arguments.size() < 2) return std::nullopt;
  for (size_t i = 1; i < op.arguments.size() && i <= order->second.size(); ++i) {
    if (!read_bound(op.arguments[i], *order->second[i - 1])) return std::nullopt;
  }
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
