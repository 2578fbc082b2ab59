#include "import/growing_constants.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/max.h>
#include <ATen/ops/nan_to_num.h>

#include "import/messages.h"
#include "import/recorder.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

/// As constants that were computed from other rows of one matrix product: equal but for rounding.
bool same_but_for_rounding(const at::Tensor& a, const at::Tensor& b) {
  if (!a.is_floating_point() || a.numel() == 0) return at::equal(a, b);
  const double largest = a.abs().nan_to_num(0, 0, 0).max().item<double>();
  return at::allclose(a, b, 1e-5, 1e-6 * largest, true);
}

/// A constant of several images with the images in dimensions of their own.
struct Apart {
  at::Tensor values;
  /// The extents of `values` for any number of images.
  ir::Dims extents;

  /// Of the first image, with extents of 1 for all images.
  at::Tensor first() const { return of_image(0); }
  at::Tensor of_image(int64_t image) const;
  ir::Ints image_dims() const;
};

ir::Ints Apart::image_dims() const {
  ir::Ints dims;
  for (size_t i = 0; i < extents.size(); ++i) {
    if (extents[i].times_batch) dims.push_back(static_cast<int64_t>(i));
  }
  return dims;
}

at::Tensor Apart::of_image(int64_t image) const {
  at::Tensor part = values;
  for (const int64_t dim : image_dims()) part = part.narrow(dim, image, 1);
  return part.contiguous();
}

Apart taken_apart(const at::Tensor& tensor, const ir::Dims& shape) {
  Apart apart;
  ir::Ints all;
  for (size_t i = 0; i < shape.size(); ++i) {
    const int64_t extent = tensor.size(static_cast<int64_t>(i));
    if (shape[i].times_batch) {
      apart.extents.push_back({1, true});
      all.push_back(extent / shape[i].value);
    }
    if (shape[i].times_batch && shape[i].value == 1) continue;
    apart.extents.push_back({shape[i].value, false});
    all.push_back(shape[i].value);
  }
  apart.values = tensor.reshape(all);
  return apart;
}

bool repeats(const Apart& apart) {
  return same_but_for_rounding(apart.first().expand(apart.values.sizes()), apart.values);
}

/// Extents of 1 but for the images.
ir::Dims images_alone(const Apart& apart) {
  ir::Dims dims = apart.extents;
  for (ir::Dim& dim : dims) dim.value = 1;
  return dims;
}

/// Whether the images' integers are those of the first, and `step` more for each one behind it.
bool counts(const Apart& apart, const at::Tensor& first, const at::Tensor& step) {
  const at::Tensor& values = apart.values;
  if (!at::isIntegralType(values.scalar_type(), false) || apart.image_dims().size() != 1) {
    return false;
  }
  const int64_t images = values.size(apart.image_dims().front());
  const at::Tensor numbers =
      at::arange(images, values.options()).reshape(ir::at_batch(images_alone(apart), images));
  return at::equal(first.add(numbers.mul(step)), values);
}

/// Appends nodes behind a node of a graph.
class Behind {
 public:
  Behind(ir::Graph& graph, ir::Graph::Position where) : graph_(graph), where_(where) {}

  ir::ValueId add(const ir::Op& op, const std::string& word, std::vector<ir::ValueId> inputs,
                  const ir::Dims& shape) {
    const ir::ValueId output = graph_.add_value("", shape);
    insert(op, word, std::move(inputs), output);
    return output;
  }
  void insert(const ir::Op& op, const std::string& word, std::vector<ir::ValueId> inputs,
              ir::ValueId output) {
    const std::string name = graph_.unique_name(join_path(where_->module, word));
    graph_.values[static_cast<size_t>(output)].name = name;
    where_ = graph_.nodes.insert(std::next(where_),
                                 {name, where_->module, op, std::move(inputs), {output}});
  }

 private:
  ir::Graph& graph_;
  ir::Graph::Position where_;
};

/// The node holds `tensor` from now on, in a value of its own; returns that.
ir::ValueId hold_instead(ir::Graph& graph, ir::Node& node, const at::Tensor& tensor) {
  node.as<ir::Constant>()->value.value = tensor;
  const ir::ValueId value = graph.add_value(node.name, constant_dims(tensor.sizes()));
  node.outputs = {value};
  return value;
}

void expand_constant(ir::Graph& graph, ir::Graph::Position where, const Apart& apart) {
  const ir::ValueId output = where->output();
  const ir::Dims shape = graph.values[static_cast<size_t>(output)].shape;
  const ir::ValueId first = hold_instead(graph, *where, apart.first());
  Behind behind(graph, where);
  if (apart.extents == shape) return behind.insert(ir::Expand{shape}, "expand", {first}, output);
  const ir::ValueId all = behind.add(ir::Expand{apart.extents}, "expand", {first}, apart.extents);
  behind.insert(ir::Reshape{shape}, "reshape", {all}, output);
}

/// first + step * arange(images), of integers.
void count_images(ir::Graph& graph, ir::Graph::Position where, const Apart& apart,
                  const at::Tensor& step) {
  using ir::InputRef;
  const ir::ValueId output = where->output();
  const ir::Dims shape = graph.values[static_cast<size_t>(output)].shape;
  const auto type = static_cast<int64_t>(step.scalar_type());
  const ir::Parameter steps{where->name + ".step", step};
  const ir::ValueId first = hold_instead(graph, *where, apart.first());
  Behind behind(graph, where);
  const auto reshape = [](const ir::Dims& to) {
    return ir::Opaque{"aten::reshape", "", {InputRef{0}, to}};
  };
  const ir::Dim images{1, true};
  ir::ValueId numbers =
      behind.add(ir::Opaque{"aten::arange", "", {images, ir::Dim{type, false}, {}, {}, {}}},
                 "arange", {}, {images});
  numbers = behind.add(reshape(images_alone(apart)), "reshape", {numbers}, images_alone(apart));
  const ir::ValueId by = behind.add(ir::Constant{steps}, "step", {}, constant_dims(step.sizes()));
  numbers = behind.add(ir::Opaque{"aten::mul", "Tensor", {InputRef{0}, InputRef{1}}}, "mul",
                       {numbers, by}, apart.extents);
  numbers =
      behind.add(ir::Opaque{"aten::add", "Tensor", {InputRef{0}, InputRef{1}, ir::Dim{1, false}}},
                 "add", {first, numbers}, apart.extents);
  behind.insert(reshape(shape), "reshape", {numbers}, output);
}

}  // namespace

void grow_constant(ir::Graph& graph, ir::Graph::Position where, const at::Tensor& of_more) {
  const at::Tensor& tensor = where->as<ir::Constant>()->value.value;
  const ir::Dims& shape = graph.values[static_cast<size_t>(where->output())].shape;
  const Apart few = taken_apart(tensor, shape), more = taken_apart(of_more, shape);
  if (!same_but_for_rounding(few.first(), more.first())) refuse_growth(where->name, "a constant");
  if (repeats(few) && repeats(more)) return expand_constant(graph, where, few);
  const at::Tensor step = few.of_image(1).sub(few.first());
  if (counts(few, few.first(), step) && counts(more, few.first(), step)) {
    return count_images(graph, where, few, step);
  }
  if (!at::isIntegralType(tensor.scalar_type(), false)) refuse_growth(where->name, "a constant");
  throw ImportError(where->name +
                    " holds integers that differ from image to image, and not as numbers that "
                    "count the images do, which a graph for any number of images cannot follow");
}

void refuse_growth(const std::string& node, const std::string& what) {
  throw ImportError(node + ": " + what +
                    " depends on the batch size in a way that a graph cannot follow; the network "
                    "must treat every image the same way");
}

}  // namespace ptq::import
