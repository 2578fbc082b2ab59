#include "import/reconcile.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/max.h>
#include <ATen/ops/nan_to_num.h>

#include <algorithm>
#include <sstream>

#include "import/messages.h"
#include "import/recorder.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

[[noreturn]] void refuse(const std::string& node, const std::string& what) {
  throw ImportError(node + ": " + what +
                    " depends on the batch size in a way that a graph cannot follow; the network "
                    "must treat every image the same way");
}

/// `constant` is not the same for all images.
[[noreturn]] void refuse_constant(const std::string& node, const at::Tensor& constant) {
  if (!at::isIntegralType(constant.scalar_type(), false)) refuse(node, "a constant");
  throw ImportError(node +
                    " holds integers that differ from image to image, as torch.arange(x.size(0)) "
                    "does, which a graph for any number of images cannot follow; torch.gather "
                    "picks from each image without");
}

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
    refuse(node, "a size (" + std::to_string(first.value) + " for " + std::to_string(kFirstBatch) +
                     " images, " + std::to_string(second.value) + " for " +
                     std::to_string(kSecondBatch) + ")");
  }
  first = *dim;
}

void reconcile_op(ir::Node& first, const ir::Node& second) {
  ir::Op other = second.op;
  Attributes a(first.op), b(other);
  if (a.rest() != b.rest() || a.dims.size() != b.dims.size()) refuse(first.name, "an attribute");
  for (size_t i = 0; i < a.dims.size(); ++i) reconcile_dim(*a.dims[i], *b.dims[i], first.name);
}

void reconcile_shape(ir::Dims& first, const ir::Dims& second, const std::string& node) {
  if (first.size() != second.size()) refuse(node, "the number of dimensions");
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
    refuse(first.name, "a weight");
  }
}

/// As constants that were computed from other rows of one matrix product: equal but for rounding.
bool same_but_for_rounding(const at::Tensor& a, const at::Tensor& b) {
  if (!a.is_floating_point() || a.numel() == 0) return at::equal(a, b);
  const double largest = a.abs().nan_to_num(0, 0, 0).max().item<double>();
  return at::allclose(a, b, 1e-5, 1e-6 * largest, true);
}

/// A constant that grows with the batch holds the same for every image: an expanded class token, a
/// block of zeros, the heads of a learnt query.
struct Repeated {
  /// One element wherever there is one for an image, before those that an image has.
  at::Tensor base;
  /// The extents of the base for all images. Where an image has several elements of a dimension,
  /// these are a dimension of their own.
  ir::Dims expanded;
};

/// Throws ImportError unless `tensor`, of the extents `shape`, is the same for all images.
Repeated taken_apart(const at::Tensor& tensor, const ir::Dims& shape, const std::string& node) {
  Repeated repeated;
  std::vector<int64_t> all, one;
  for (size_t i = 0; i < shape.size(); ++i) {
    const int64_t extent = tensor.size(static_cast<int64_t>(i));
    if (shape[i].times_batch) {
      repeated.expanded.push_back({1, true});
      all.push_back(extent / shape[i].value), one.push_back(1);
    }
    if (shape[i].times_batch && shape[i].value == 1) continue;
    repeated.expanded.push_back({shape[i].value, false});
    all.push_back(shape[i].value), one.push_back(shape[i].value);
  }
  const at::Tensor apart = tensor.reshape(all);
  repeated.base = apart;
  for (size_t i = 0; i < one.size(); ++i) {
    repeated.base = repeated.base.narrow(static_cast<int64_t>(i), 0, one[i]);
  }
  if (!same_but_for_rounding(repeated.base.expand(all), apart)) refuse_constant(node, tensor);
  repeated.base = repeated.base.contiguous();
  return repeated;
}

/// A node behind `where`, that makes `output` of `input`.
ir::Graph::Position add_behind(ir::Graph& graph, ir::Graph::Position where, const ir::Op& op,
                               const std::string& word, ir::ValueId input, ir::ValueId output) {
  const std::string name = graph.unique_name(join_path(where->module, word));
  graph.values[static_cast<size_t>(output)].name = name;
  return graph.nodes.insert(std::next(where), {name, where->module, op, {input}, {output}});
}

/// `where` is a Constant whose shape has just been found to grow with the batch.
void expand_constant(ir::Graph& graph, ir::Graph::Position where, const Repeated& repeated) {
  const ir::ValueId output = where->output();
  const ir::Dims shape = graph.values[static_cast<size_t>(output)].shape;
  where->as<ir::Constant>()->value.value = repeated.base;

  const ir::ValueId base = graph.add_value(where->name, constant_dims(repeated.base.sizes()));
  where->outputs = {base};
  if (repeated.expanded == shape) {
    add_behind(graph, where, ir::Expand{shape}, "expand", base, output);
    return;
  }
  const ir::ValueId apart = graph.add_value("", repeated.expanded);
  where = add_behind(graph, where, ir::Expand{repeated.expanded}, "expand", base, apart);
  add_behind(graph, where, ir::Reshape{shape}, "reshape", apart, output);
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
    const Repeated repeated = taken_apart(constant->value.value, shape, first->name);
    const Repeated of_more = taken_apart(other->value.value, shape, first->name);
    if (!same_but_for_rounding(repeated.base, of_more.base)) refuse(first->name, "a constant");
    expand_constant(graph, first, repeated);
  } else if (!same_tensor(constant->value.value, other->value.value)) {
    refuse(first->name, "a constant");
  }
}

void check_same_structure(const ir::Graph& first, const ir::Graph& second) {
  const bool same =
      std::equal(first.nodes.begin(), first.nodes.end(), second.nodes.begin(), second.nodes.end(),
                 [](const ir::Node& a, const ir::Node& b) {
                   return a.name == b.name && a.op.index() == b.op.index() && a.inputs == b.inputs;
                 });
  if (!same || first.output != second.output) refuse("forward", "what it runs");
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
