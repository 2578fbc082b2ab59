#include "ir/coordinates.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_set>

#include "ir/facts.h"
#include "ir/opaque_words.h"

namespace ptq::ir {
namespace {

using Names = std::unordered_set<std::string_view>;

/// Reads its first argument at places that its other arguments say: between elements or, for
/// integers, at them.
bool samples(const Opaque& op) {
  static const Names names = {"grid_sampler", "grid_sampler_2d", "grid_sampler_3d",
                              "index",        "index_select",    "gather",
                              "take",         "embedding",       "take_along_dim"};
  return names.count(plain_name(op)) > 0;
}

bool reads_places(const Node& node, ValueId value) {
  const auto* opaque = node.as<Opaque>();
  if (opaque == nullptr || !samples(*opaque) || opaque->arguments.empty()) return false;
  const auto* source = std::get_if<InputRef>(&opaque->arguments.front());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const bool is_source = source != nullptr && static_cast<size_t>(source->index) == i;
    if (!is_source && node.inputs[i] == value) return true;
  }
  return false;
}

bool makes_integers(const Opaque& op) {
  static const Names names = {"to", "_to_copy", "type_as", "long", "int"};
  return names.count(plain_name(op)) > 0;
}

/// What typed operations do to floats.
bool moves_integers(const Opaque& op) {
  static const Names names = {"flatten",   "unflatten", "reshape", "reshape_as", "view",
                              "view_as",   "unsqueeze", "squeeze", "expand",     "permute",
                              "transpose", "t",         "select",  "slice",      "narrow",
                              "cat",       "clone",     "movedim", "contiguous"};
  return names.count(plain_name(op)) > 0;
}

/// Turns places into places: elementwise, by moving them, or by a product with a constant.
bool passes_places(const Index& index, const Node& node) {
  static const Names names = {"affine_grid_generator",
                              "add",
                              "sub",
                              "rsub",
                              "mul",
                              "div",
                              "neg",
                              "floor",
                              "ceil",
                              "round",
                              "trunc",
                              "floor_divide",
                              "remainder",
                              "fmod",
                              "tanh",
                              "clamp",
                              "clamp_min",
                              "clamp_max",
                              "exp",
                              "sin",
                              "cos",
                              "where",
                              "stack",
                              "index",
                              "index_select",
                              "gather",
                              "flip",
                              "roll",
                              "repeat",
                              "expand_as",
                              "pad",
                              "cumsum",
                              "sum",
                              "upsample_bilinear2d",
                              "upsample_nearest2d",
                              "upsample_bicubic2d"};
  if (const auto* opaque = node.as<Opaque>()) {
    return names.count(plain_name(*opaque)) > 0 || makes_integers(*opaque) ||
           moves_integers(*opaque);
  }
  if (node.is<MatMul>()) {
    return std::any_of(node.inputs.begin(), node.inputs.end(),
                       [&](ValueId input) { return is_constant(index, input); });
  }
  return node.is<Add>() || node.is<Sub>() || node.is<Mul>() || node.is<Div>() ||
         node.is<AddScalar>() || node.is<MulScalar>() || node.is<BatchNorm>() ||
         node.is<Sigmoid>() || node.is<Relu>() || node.is<Relu6>() || node.is<LeakyRelu>() ||
         node.is<Mean>() || node.is<AvgPool>() || node.is<AdaptiveAvgPool>() ||
         node.is<Reshape>() || node.is<Permute>() || node.is<Expand>() || node.is<Select>() ||
         node.is<Slice>() || node.is<Concat>();
}

/// Each value is asked about once.
class Places {
 public:
  explicit Places(const Index& index) : index_(index) {}

  bool are_read(const Node& user, ValueId value) {
    if (reads_places(user, value)) return true;
    if (!passes_places(index_, user)) return false;
    const auto [known, is_new] = read_.try_emplace(user.output(), false);
    if (is_new) {
      const auto& users = index_.users(user.output());
      known->second = std::any_of(users.begin(), users.end(),
                                  [&](const Node* next) { return are_read(*next, user.output()); });
    }
    return known->second;
  }

 private:
  const Index& index_;
  std::map<ValueId, bool> read_;
};

}  // namespace

bool are_coordinates(const Index& index, const Node& user, ValueId value) {
  return Places(index).are_read(user, value);
}

namespace {

/// Whether places were computed in floats, and not found as integers, as by topk.
class Origins {
 public:
  Origins(const Index& index, const Graph& graph) : index_(index), floats_(float_values(graph)) {}

  bool are_floats(ValueId places) {
    if (is_constant(index_, places)) return false;
    if (floats_[static_cast<size_t>(places)]) return true;
    const auto [known, is_new] = known_.try_emplace(places, false);
    const Node* maker = index_.producer(places);
    if (is_new && maker != nullptr && passes_places(index_, *maker)) {
      known->second = std::any_of(maker->inputs.begin(), maker->inputs.end(),
                                  [&](ValueId input) { return are_floats(input); });
    }
    return known->second;
  }

 private:
  const Index& index_;
  const std::vector<bool> floats_;
  std::map<ValueId, bool> known_;
};

}  // namespace

std::vector<const Node*> readers_of_places(const Index& index, const Graph& graph) {
  Origins origins(index, graph);
  std::vector<const Node*> found;
  for (const Node& node : graph.nodes) {
    const bool reads = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId value) {
      return reads_places(node, value) && origins.are_floats(value);
    });
    if (reads) found.push_back(&node);
  }
  return found;
}

}  // namespace ptq::ir
