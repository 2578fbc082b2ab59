#include "import/reconcile.h"

#include <ATen/ops/equal.h>

#include <algorithm>
#include <sstream>

#include "import/growing_constants.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

/// What differs between two runs of one operation, taken apart: numbers that may grow with the
/// batch, tensors, and the rest as text.
class Attributes {
 public:
  explicit Attributes(ir::Op& op);

  std::vector<ir::Dim*> dims;
  std::vector<at::Tensor*> tensors;
  std::string rest() const { return rest_.str(); }

 private:
  void add(ir::Dim& dim) { dims.push_back(&dim); }
  void add(ir::Dims& list);
  void add(std::vector<ir::Argument>& arguments);
  void add(ir::InputRefs& inputs) { add(inputs.indices); }
  void add(ir::InputRef& input) { add(input.index); }
  void add(at::Tensor& tensor) { tensors.push_back(&tensor); }
  void add(std::monostate&) { rest_ << "none;"; }
  template <class T>
  void add(std::optional<T>& value) {
    rest_ << value.has_value() << ";";
    if (value) add(*value);
  }
  template <class T>
  void add(std::vector<T>& list) {
    rest_ << list.size() << ":";
    for (const T element : list) rest_ << element << ";";
  }
  template <class T>
  void add(T& value) {
    rest_ << value << ";";
  }

  std::ostringstream rest_;
};

Attributes::Attributes(ir::Op& op) {
  rest_ << std::hexfloat << ir::op_name(op) << ";";
  std::visit(
      [this](auto& typed) {
        std::decay_t<decltype(typed)>::attributes(typed,
                                                  [this](const char*, auto& value) { add(value); });
      },
      op);
}

void Attributes::add(ir::Dims& list) {
  rest_ << list.size() << ":";
  for (ir::Dim& dim : list) add(dim);
}

void Attributes::add(std::vector<ir::Argument>& arguments) {
  for (ir::Argument& argument : arguments) {
    rest_ << argument.index() << "/";
    std::visit([this](auto& typed) { add(typed); }, argument);
  }
}

std::optional<ir::Dim> reconciled(int64_t first, int64_t second) {
  if (first == second) return ir::Dim{first, false};
  if (first * kSecondBatch != second * kFirstBatch) return std::nullopt;
  return ir::Dim{first / kFirstBatch, true};
}

void reconcile_dim(ir::Dim& first, const ir::Dim& second, const std::string& node) {
  const auto dim = reconciled(first.value, second.value);
  if (!dim) {
    refuse_growth(node, "a size (" + std::to_string(first.value) + " for " +
                            std::to_string(kFirstBatch) + " images, " +
                            std::to_string(second.value) + " for " + std::to_string(kSecondBatch) +
                            ")");
  }
  first = *dim;
}

void reconcile_op(ir::Node& first, const ir::Node& second) {
  ir::Op other = second.op;
  Attributes a(first.op), b(other);
  if (a.rest() != b.rest() || a.dims.size() != b.dims.size()) {
    refuse_growth(first.name, "an attribute");
  }
  for (size_t i = 0; i < a.dims.size(); ++i) reconcile_dim(*a.dims[i], *b.dims[i], first.name);
}

void reconcile_shape(ir::Dims& first, const ir::Dims& second, const std::string& node) {
  if (first.size() != second.size()) refuse_growth(node, "the number of dimensions");
  for (size_t i = 0; i < first.size(); ++i) reconcile_dim(first[i], second[i], node);
}

/// Tensors an operation owns, other than those of a Constant.
std::vector<at::Tensor> owned_tensors(const ir::Op& op) {
  std::vector<at::Tensor> tensors;
  const auto add = [&](const std::optional<ir::Parameter>& parameter) {
    if (parameter) tensors.push_back(parameter->value);
  };
  if (const ir::Weighted* layer = ir::weighted(op)) {
    add(layer->weight), add(layer->bias);
  } else if (const auto* batch_norm = std::get_if<ir::BatchNorm>(&op)) {
    add(batch_norm->weight), add(batch_norm->bias);
    add(batch_norm->running_mean), add(batch_norm->running_var);
  } else if (const auto* layer_norm = std::get_if<ir::LayerNorm>(&op)) {
    add(layer_norm->weight), add(layer_norm->bias);
  }
  return tensors;
}

bool same_tensor(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() &&
         (a.data_ptr() == b.data_ptr() || at::equal(a, b));
}

void check_owned_tensors(const ir::Node& first, const ir::Node& second) {
  const auto a = owned_tensors(first.op), b = owned_tensors(second.op);
  if (!std::equal(a.begin(), a.end(), b.begin(), b.end(), same_tensor)) {
    refuse_growth(first.name, "a weight");
  }
}

bool grows(const ir::Dims& shape) {
  return std::any_of(shape.begin(), shape.end(),
                     [](const ir::Dim& dim) { return dim.times_batch; });
}

void reconcile_constant(ir::Graph& graph, ir::Graph::Position first, const ir::Node& second) {
  const ir::Dims& shape = graph.values[static_cast<size_t>(first->output())].shape;
  const auto* constant = first->as<ir::Constant>();
  const auto* other = second.as<ir::Constant>();
  if (constant == nullptr || other == nullptr) return;
  if (grows(shape)) {
    grow_constant(graph, first, other->value.value);
  } else if (!same_tensor(constant->value.value, other->value.value)) {
    refuse_growth(first->name, "a constant");
  }
}

void check_same_structure(const ir::Graph& first, const ir::Graph& second) {
  const bool same =
      std::equal(first.nodes.begin(), first.nodes.end(), second.nodes.begin(), second.nodes.end(),
                 [](const ir::Node& a, const ir::Node& b) {
                   return a.name == b.name && a.op.index() == b.op.index() && a.inputs == b.inputs;
                 });
  if (!same || first.output != second.output) refuse_growth("forward", "what it runs");
}

}  // namespace

ir::Graph reconcile(ir::Graph first, const ir::Graph& second) {
  check_same_structure(first, second);
  for (size_t i = 0; i < first.values.size(); ++i) {
    reconcile_shape(first.values[i].shape, second.values[i].shape, first.values[i].name);
  }
  auto other = second.nodes.begin();
  for (auto node = first.nodes.begin(); other != second.nodes.end(); ++other) {
    const auto current = node++;
    reconcile_op(*current, *other);
    check_owned_tensors(*current, *other);
    reconcile_constant(first, current, *other);
  }
  return first;
}

}  // namespace ptq::import
