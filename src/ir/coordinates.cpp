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

/// Reads its first input at places that its second input says.
bool samples(const Opaque& op) {
  static const Names names = {"grid_sampler", "grid_sampler_2d", "grid_sampler_3d"};
  return names.count(plain_name(op)) > 0;
}

bool reads_places(const Node& node, ValueId value) {
  const auto* opaque = node.as<Opaque>();
  if (opaque == nullptr || !samples(*opaque)) return false;
  const auto* grid = std::get_if<InputRef>(&opaque->arguments.at(1));
  return grid != nullptr && node.inputs.at(static_cast<size_t>(grid->index)) == value;
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
  if (const auto* opaque = node.as<Opaque>()) return names.count(plain_name(*opaque)) > 0;
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

std::vector<const Node*> readers_of_places(const Index& index, const Graph& graph) {
  std::vector<const Node*> found;
  for (const Node& node : graph.nodes) {
    const bool reads = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId value) {
      return reads_places(node, value) && !is_constant(index, value);
    });
    if (reads) found.push_back(&node);
  }
  return found;
}

}  // namespace ptq::ir
