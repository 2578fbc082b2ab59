#include "ir/domains.h"

#include <ATen/ops/ge.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "ir/clamp.h"
#include "ir/coordinates.h"
#include "ir/opaque_words.h"
#include "ir/small_numbers.h"

namespace ptq::ir {
namespace {

using Names = std::unordered_set<std::string_view>;

bool is_whole(double number) { return std::floor(number) == number; }

bool is_value(const Argument& argument) { return std::holds_alternative<InputRef>(argument); }

/// The exponent of a power of values; a tensor of exponents may hold any. Nothing for other
/// operators.
std::optional<double> exponent_of(const Opaque& op) {
  constexpr double kAny = 0.5;
  if (plain_name(op) != "pow" || !is_value(op.arguments[0])) return std::nullopt;
  return is_value(op.arguments[1]) ? kAny : number_in(op.arguments[1]);
}

/// Takes no numbers below zero, or far below.
bool takes_no_negatives(const Opaque& op) {
  static const Names names = {"sqrt", "rsqrt", "log", "log2", "log10", "log1p", "acosh", "xlogy"};
  const std::optional<double> exponent = exponent_of(op);
  return names.count(plain_name(op)) > 0 || (exponent && !is_whole(*exponent));
}

/// Takes numbers from -1 or 0 to 1.
bool takes_no_large_numbers(const Opaque& op) {
  static const Names names = {"asin",    "arcsin", "acos",          "arccos", "atanh",
                              "arctanh", "logit",  "special_logit", "erfinv", "special_erfinv"};
  return names.count(plain_name(op)) > 0;
}

/// Its results are below zero only where one of its inputs is.
bool keeps_sign(const Node& node) {
  static const Names names = {"sum",       "amax",   "amin",   "max",     "min",
                              "expand_as", "repeat", "cumsum", "flip",    "pad",
                              "stack",     "gather", "where",  "maximum", "minimum"};
  if (const auto* scalar = node.as<AddScalar>()) return scalar->value >= 0;
  if (const auto* scalar = node.as<MulScalar>()) return scalar->value >= 0;
  if (const auto* opaque = node.as<Opaque>()) return names.count(plain_name(*opaque)) > 0;
  return node.is<Add>() || node.is<Mul>() || node.is<Div>() || node.is<Mean>() ||
         node.is<MaxPool>() || node.is<AvgPool>() || node.is<AdaptiveAvgPool>() ||
         node.is<Reshape>() || node.is<Permute>() || node.is<Expand>() || node.is<Select>() ||
         node.is<Slice>() || node.is<Concat>() || node.is<FakeQuantize>();
}

/// Its results are not below zero, whatever comes in.
bool drops_sign(const Node& node) {
  static const Names names = {"abs",     "square", "exp",  "exp2", "softplus",           "softmax",
                              "sqrt",    "rsqrt",  "norm", "var",  "linalg_vector_norm", "std",
                              "_softmax"};
  const auto bounds = clamp_bounds(node.op);
  if (bounds && bounds->lowest.defined() && bounds->lowest.ge(0).all().item<bool>()) return true;
  if (const auto* constant = node.as<Constant>()) {
    return constant->value.value.ge(0).all().item<bool>();
  }
  if (const auto* opaque = node.as<Opaque>()) {
    const std::optional<double> exponent = exponent_of(*opaque);
    return (exponent && is_whole(*exponent / 2)) || names.count(plain_name(*opaque)) > 0;
  }
  return node.is<Relu>() || node.is<Relu6>() || node.is<Sigmoid>() || node.is<Hardsigmoid>() ||
         node.is<Softmax>() || (node.is<Mul>() && node.inputs[0] == node.inputs[1]);
}

/// Sums, products and moves, which pass a rounding on.
bool passes_rounding(const Node& node) {
  static const Names names = {"add",   "sub",    "rsub",  "mul",       "div",   "neg",  "mean",
                              "sum",   "cumsum", "where", "expand_as", "stack", "flip", "repeat",
                              "index", "gather", "lerp",  "roll",      "pad"};
  if (const auto* opaque = node.as<Opaque>()) return names.count(plain_name(*opaque)) > 0;
  return node.is<Add>() || node.is<Sub>() || node.is<Mul>() || node.is<Div>() ||
         node.is<AddScalar>() || node.is<MulScalar>() || node.is<BatchNorm>() || node.is<Mean>() ||
         node.is<AvgPool>() || node.is<AdaptiveAvgPool>() || node.is<Reshape>() ||
         node.is<Permute>() || node.is<Expand>() || node.is<Select>() || node.is<Slice>() ||
         node.is<Concat>();
}

/// What follows from a graph's operations. Each value is asked about once: with sums of a value and
/// itself there are more ways through a graph than anybody can walk.
class Domains {
 public:
  explicit Domains(const Index& index) : index_(index) {}

  bool has_domain(const Node& node) {
    const auto* opaque = node.as<Opaque>();
    if (opaque == nullptr || node.inputs.empty()) return false;
    return takes_no_large_numbers(*opaque) ||
           (takes_no_negatives(*opaque) && !is_never_negative(node.inputs[0]));
  }

  /// Whether a rounding of what `user` reads gets to a function with a domain.
  bool reach_domain(const Node& user) {
    if (has_domain(user)) return true;
    if (!passes_rounding(user)) return false;
    const auto [known, is_new] = reach_.try_emplace(user.output(), false);
    if (is_new) {
      const auto& users = index_.users(user.output());
      known->second = std::any_of(users.begin(), users.end(),
                                  [&](const Node* next) { return reach_domain(*next); });
    }
    return known->second;
  }

 private:
  bool is_never_negative(ValueId value) {
    const Node* maker = index_.producer(value);
    if (maker == nullptr) return false;
    const auto [known, is_new] = never_negative_.try_emplace(value, false);
    if (is_new) {
      const auto& inputs = maker->inputs;
      known->second =
          drops_sign(*maker) ||
          (keeps_sign(*maker) && std::all_of(inputs.begin(), inputs.end(), [&](ValueId input) {
             return is_never_negative(input);
           }));
    }
    return known->second;
  }

  const Index& index_;
  std::map<ValueId, bool> reach_, never_negative_;
};

}  // namespace

bool breaks_when_rounded(const Index& index, const Node& user, ValueId value) {
  return needs_small_numbers(index, user, value) || are_coordinates(index, user, value) ||
         Domains(index).reach_domain(user);
}

std::vector<const Node*> functions_with_domain(const Index& index, const Graph& graph) {
  Domains domains(index);
  std::vector<const Node*> found;
  for (const Node& node : graph.nodes) {
    if (domains.has_domain(node)) found.push_back(&node);
  }
  return found;
}

}  // namespace ptq::ir
