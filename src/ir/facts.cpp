#include "ir/facts.h"

#include <ATen/ops/le.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "ir/opaque_words.h"

namespace ptq::ir {
namespace {

using Names = std::unordered_set<std::string_view>;

bool holds_mask(const at::Tensor& tensor) {
  return tensor.is_floating_point() && tensor.le(-kLeastMask).any().item<bool>();
}

/// The largest and smallest result are known, whatever comes in.
bool has_bounds(const Opaque& op) {
  static const Names names = {"exp",   "exp2",    "tanh",     "softmax",    "_softmax",
                              "clamp", "sigmoid", "erf",      "clamp_min",  "hardtanh",
                              "gt",    "lt",      "ge",       "le",         "eq",
                              "ne",    "isinf",   "isfinite", "logical_not"};
  return names.count(plain_name(op)) > 0;
}

bool writes_mask(const Opaque& op) {
  static const Names names = {"masked_fill", "where", "fill", "index_fill", "full_like"};
  return names.count(plain_name(op)) > 0 &&
         std::any_of(op.arguments.begin(), op.arguments.end(),
                     [](const Argument& argument) { return number_in(argument) <= -kLeastMask; });
}

bool carries_mask(const Node& node) {
  if (const auto* opaque = node.as<Opaque>()) return !has_bounds(*opaque);
  return node.is<Add>() || node.is<Sub>() || node.is<Mul>() || node.is<Div>() ||
         node.is<AddScalar>() || node.is<MulScalar>() || node.is<Reshape>() || node.is<Permute>() ||
         node.is<Expand>() || node.is<Select>() || node.is<Slice>() || node.is<Concat>() ||
         node.is<FakeQuantize>() || node.is<LeakyRelu>();
}

bool is_masked(const Node& node, const std::vector<bool>& masked) {
  if (const auto* constant = node.as<Constant>()) return holds_mask(constant->value.value);
  const auto* opaque = node.as<Opaque>();
  if (opaque != nullptr && writes_mask(*opaque)) return true;
  return carries_mask(node) &&
         std::any_of(node.inputs.begin(), node.inputs.end(),
                     [&](ValueId value) { return masked[static_cast<size_t>(value)]; });
}

/// Chooses or moves elements, or compares them: what it reads beside activations is no weight.
bool multiplies_nothing(const Opaque& op) {
  static const Names names = {"where",
                              "index",
                              "masked_fill",
                              "gather",
                              "grid_sampler",
                              "stack",
                              "maximum",
                              "minimum",
                              "index_put",
                              "index_select",
                              "eq",
                              "ne",
                              "gt",
                              "lt",
                              "ge",
                              "le",
                              "as_strided",
                              "as_strided_scatter",
                              "copy",
                              "expand_as",
                              "rsub",
                              "sub",
                              "add",
                              "scatter",
                              "cat",
                              "embedding",
                              "clamp",
                              "logaddexp",
                              "grid_sampler_2d"};
  return names.count(plain_name(op)) > 0;
}

/// Makes places, decisions or counts, or may do so: casts say in numbers what they cast to.
bool gives_no_floats(const Opaque& op) {
  static const Names operators = {
      "argmax",     "argmin",      "argsort",     "bucketize",    "eq",
      "ge",         "gt",          "isinf",       "isnan",        "le",
      "lt",         "ne",          "one_hot",     "to",           "type_as",
      "any",        "all",         "isfinite",    "searchsorted", "logical_and",
      "logical_or", "logical_not", "logical_xor", "greater",      "greater_equal",
      "less",       "less_equal",  "not_equal",   "isclose",      "isin",
      "isneginf",   "isposinf",    "signbit",     "count_nonzero"};
  static const Names with_places = {"topk",     "sort", "max",    "min",   "median",
                                    "kthvalue", "mode", "cummax", "cummin"};
  const std::string_view name = plain_name(op);
  return operators.count(name) > 0 || (op.result > 0 && with_places.count(name) > 0);
}

bool is_matrix(const at::Tensor& tensor) {
  const auto sizes = tensor.sizes();
  return tensor.is_floating_point() &&
         std::count_if(sizes.begin(), sizes.end(), [](int64_t extent) { return extent > 1; }) > 1;
}

/// The constant that a value is, perhaps turned or repeated; nullptr if it depends on images.
const Constant* constant_behind(const std::vector<const Node*>& makers, ValueId value) {
  const Node* maker = makers[static_cast<size_t>(value)];
  while (maker != nullptr && !maker->is<Constant>()) {
    const bool same = maker->is<Reshape>() || maker->is<Permute>() || maker->is<Expand>();
    maker = same ? makers[static_cast<size_t>(maker->inputs[0])] : nullptr;
  }
  return maker == nullptr ? nullptr : maker->as<Constant>();
}

}  // namespace

std::vector<bool> masked_values(const Graph& graph) {
  std::vector<bool> masked(graph.values.size(), false);
  for (const Node& node : graph.nodes) {
    masked[static_cast<size_t>(node.output())] = is_masked(node, masked);
  }
  return masked;
}

std::vector<bool> float_values(const Graph& graph) {
  std::vector<bool> floats(graph.values.size(), false);
  floats[static_cast<size_t>(graph.input)] = true;
  for (const Node& node : graph.nodes) {
    const auto* constant = node.as<Constant>();
    const auto* opaque = node.as<Opaque>();
    const bool reads_floats =
        std::any_of(node.inputs.begin(), node.inputs.end(),
                    [&](ValueId value) { return floats[static_cast<size_t>(value)]; });
    floats[static_cast<size_t>(node.output())] =
        constant != nullptr ? constant->value.value.is_floating_point()
                            : reads_floats && (opaque == nullptr || !gives_no_floats(*opaque));
  }
  return floats;
}

bool is_constant(const Index& index, ValueId value) {
  const Node* producer = index.producer(value);
  return producer != nullptr &&
         std::all_of(producer->inputs.begin(), producer->inputs.end(),
                     [&](ValueId input) { return is_constant(index, input); });
}

std::vector<WeightUse> weights_outside_layers(const Graph& graph) {
  std::vector<const Node*> makers(graph.values.size(), nullptr);
  for (const Node& node : graph.nodes) makers[static_cast<size_t>(node.output())] = &node;
  std::vector<WeightUse> uses;
  for (const Node& node : graph.nodes) {
    const auto* opaque = node.as<Opaque>();
    if (!node.is<MatMul>() && (opaque == nullptr || multiplies_nothing(*opaque))) continue;
    for (const ValueId value : node.inputs) {
      const Constant* constant = constant_behind(makers, value);
      if (constant != nullptr && is_matrix(constant->value.value)) {
        uses.push_back({&node, constant->value.value});
      }
    }
  }
  return uses;
}

}  // namespace ptq::ir
