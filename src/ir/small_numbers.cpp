#include "ir/small_numbers.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <unordered_set>

#include "ir/opaque_words.h"

namespace ptq::ir {
namespace {

using Names = std::unordered_set<std::string_view>;

/// What is added to divisors against zero is at most so large. A divisor of 1 + |x| makes nothing
/// large.
constexpr double kLargestGuard = 0.1;

bool is_inverse(const Opaque& op) {
  static const Names names = {"reciprocal", "rsqrt"};
  const std::string_view name = plain_name(op);
  if (name == "pow") return op.arguments.size() > 1 && number_in(op.arguments[1]) < 0;
  return names.count(name) > 0;
}

bool is_division(const Opaque& op) {
  static const Names names = {"div",       "divide", "true_divide", "floor_divide",
                              "remainder", "fmod",   "addcdiv"};
  return names.count(plain_name(op)) > 0;
}

/// Infinite, or not a number, where its input is zero.
bool breaks_at_zero(const Opaque& op, size_t input) {
  static const Names logarithms = {"log", "log2", "log10"};
  const size_t divisor = plain_name(op) == "addcdiv" ? 2 : 1;
  return is_inverse(op) || logarithms.count(plain_name(op)) > 0 ||
         (is_division(op) && input == divisor);
}

bool breaks_at_zero(const Node& user, ValueId value) {
  for (size_t i = 0; i < user.inputs.size(); ++i) {
    if (user.inputs[i] != value) continue;
    if (user.is<Div>() && i == 1) return true;
    const auto* opaque = user.as<Opaque>();
    if (opaque != nullptr && breaks_at_zero(*opaque, i)) return true;
  }
  return false;
}

bool reduces(const Node& node) {
  static const Names names = {"sum",    "mean",        "amax",     "amin",     "max",
                              "min",    "norm",        "var",      "std",      "linalg_vector_norm",
                              "cumsum", "linalg_norm", "var_mean", "std_mean", "frobenius_norm"};
  if (const auto* opaque = node.as<Opaque>()) return names.count(plain_name(*opaque)) > 0;
  return node.is<Mean>() || node.is<AvgPool>() || node.is<AdaptiveAvgPool>();
}

bool moves_or_scales(const Opaque& op) {
  static const Names names = {"sqrt",    "abs",    "clamp",     "clamp_min", "expand_as",
                              "relu",    "repeat", "square",    "maximum",   "sub",
                              "flatten", "detach", "unsqueeze", "pow"};
  return names.count(plain_name(op)) > 0 && !is_inverse(op);
}

/// Zeros stay zeros, or are shifted.
bool keeps_near_zero(const Node& node) {
  if (reduces(node)) return true;
  if (const auto* opaque = node.as<Opaque>()) return moves_or_scales(*opaque);
  return node.is<Add>() || node.is<Sub>() || node.is<Mul>() || node.is<AddScalar>() ||
         node.is<MulScalar>() || node.is<Reshape>() || node.is<Permute>() || node.is<Expand>() ||
         node.is<Select>() || node.is<Slice>() || node.is<Relu>();
}

/// Walks down from a value along what uses it, and up from divisors to look for it.
class SmallNumbers {
 public:
  SmallNumbers(const Index& index, ValueId origin) : index_(index), origin_(origin) {}

  bool are_needed_by(const Node& user, ValueId value) {
    if (breaks_at_zero(user, value) || normalizes(user, value)) return true;
    if (!keeps_near_zero(user) || index_.is_graph_output(user.output())) return false;
    const auto [known, is_new] = needed_.try_emplace(user.output(), false);
    if (is_new) known->second = are_needed_by_all(user.output());
    return known->second;
  }

 private:
  bool are_needed_by_all(ValueId value) {
    const auto& users = index_.users(value);
    return !users.empty() && std::all_of(users.begin(), users.end(), [&](const Node* user) {
      return are_needed_by(*user, value);
    });
  }

  /// value / statistic, or value * (1 / statistic), with a statistic of the origin.
  bool normalizes(const Node& user, ValueId value) {
    if (user.inputs.size() != 2 || !has_elements(value)) return false;
    const auto* opaque = user.as<Opaque>();
    const bool divides = user.is<Div>() || (opaque != nullptr && is_division(*opaque));
    if (divides) return user.inputs[0] == value && is_statistic(user.inputs[1]);
    return user.is<Mul>() && has_inverse(user.inputs[user.inputs[0] == value ? 1 : 0]);
  }

  /// Elements of the origin are in `value`, perhaps less their mean. Where a mean is divided by its
  /// own norm, what it is the mean of may be rounded.
  bool has_elements(ValueId value) {
    if (value == origin_) return true;
    const auto [known, is_new] = elements_.try_emplace(value, false);
    if (!is_new) return known->second;
    const Node* maker = index_.producer(value);
    if (maker == nullptr || !keeps_near_zero(*maker) || reduces(*maker)) return false;
    return known->second = std::any_of(maker->inputs.begin(), maker->inputs.end(),
                                       [&](ValueId input) { return has_elements(input); });
  }

  /// A product is no inverse, but what moves or scales one is.
  bool has_inverse(ValueId factor) {
    const Node* maker = index_.producer(factor);
    if (maker == nullptr || factor == origin_ || maker->inputs.empty()) return false;
    const auto* opaque = maker->as<Opaque>();
    if (opaque != nullptr && is_inverse(*opaque)) return is_statistic(maker->inputs[0]);
    if (maker->is<Div>()) return is_statistic(maker->inputs[1]);
    return maker->inputs.size() == 1 && keeps_near_zero(*maker) && has_inverse(maker->inputs[0]);
  }

  /// Comes from the origin, and is near zero where that is.
  bool is_statistic(ValueId value) {
    if (value == origin_) return true;
    const auto [known, is_new] = statistics_.try_emplace(value, false);
    if (!is_new) return known->second;
    const Node* maker = index_.producer(value);
    if (maker == nullptr || !keeps_near_zero(*maker)) return false;
    const auto* shift = maker->as<AddScalar>();
    if (shift != nullptr && std::abs(shift->value) > kLargestGuard) return false;
    return known->second = std::any_of(maker->inputs.begin(), maker->inputs.end(),
                                       [&](ValueId input) { return is_statistic(input); });
  }

  const Index& index_;
  ValueId origin_;
  std::map<ValueId, bool> needed_, elements_, statistics_;
};

}  // namespace

bool needs_small_numbers(const Index& index, const Node& user, ValueId value) {
  return SmallNumbers(index, value).are_needed_by(user, value);
}

}  // namespace ptq::ir
