#include "import/image_reach.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <utility>

#include "import/operator_reach.h"
#include "ir/call_opaque.h"

namespace ptq::import {
namespace {

using Masks = std::vector<at::Tensor>;

/// Everything along the last `count` dimensions flows into everything there.
at::Tensor spread(const at::Tensor& mask, size_t count, const ir::Ints& shape) {
  at::Tensor any = mask;
  const int64_t last = mask.dim() - 1;
  for (int64_t i = 0; i < std::min<int64_t>(static_cast<int64_t>(count), mask.dim()); ++i) {
    any = any.any(last - i, true);
  }
  return any.expand(shape);
}

/// One image's way through one operation: `in` has no undefined masks.
struct Way {
  const Masks& in;
  const ir::Ints& shape;

  at::Tensor same() const { return in[0]; }
  at::Tensor both() const { return in[0].logical_or(in[1]); }

  at::Tensor operator()(const ir::Relu&) const { return same(); }
  at::Tensor operator()(const ir::Relu6&) const { return same(); }
  at::Tensor operator()(const ir::Sigmoid&) const { return same(); }
  at::Tensor operator()(const ir::Silu&) const { return same(); }
  at::Tensor operator()(const ir::Hardswish&) const { return same(); }
  at::Tensor operator()(const ir::Hardsigmoid&) const { return same(); }
  at::Tensor operator()(const ir::Gelu&) const { return same(); }
  at::Tensor operator()(const ir::LeakyRelu&) const { return same(); }
  at::Tensor operator()(const ir::AddScalar&) const { return same(); }
  at::Tensor operator()(const ir::MulScalar&) const { return same(); }
  at::Tensor operator()(const ir::BatchNorm&) const { return same(); }
  at::Tensor operator()(const ir::FakeQuantize&) const { return same(); }
  at::Tensor operator()(const ir::Add&) const { return both(); }
  at::Tensor operator()(const ir::Sub&) const { return both(); }
  at::Tensor operator()(const ir::Mul&) const { return both(); }
  at::Tensor operator()(const ir::Div&) const { return both(); }

  at::Tensor operator()(const ir::Conv& op) const { return last(op.stride.size() + 1); }
  at::Tensor operator()(const ir::ConvTranspose& op) const { return last(op.stride.size() + 1); }
  at::Tensor operator()(const ir::Linear&) const { return last(1); }
  at::Tensor operator()(const ir::LayerNorm& op) const { return last(op.normalized_shape.size()); }
  at::Tensor operator()(const ir::MaxPool& op) const { return last(op.kernel.size()); }
  at::Tensor operator()(const ir::AvgPool& op) const { return last(op.kernel.size()); }
  at::Tensor operator()(const ir::AdaptiveAvgPool& op) const { return last(op.output_size.size()); }
  at::Tensor operator()(const ir::Softmax& op) const {
    return in[0].any(op.dim, true).expand(shape);
  }
  at::Tensor operator()(const ir::MatMul&) const;
  at::Tensor operator()(const ir::Mean& op) const;

  at::Tensor operator()(const ir::Concat& op) const { return at::cat(in, op.dim); }
  at::Tensor operator()(const ir::Reshape&) const { return in[0].reshape(shape); }
  at::Tensor operator()(const ir::Permute& op) const { return in[0].permute(op.dims); }
  at::Tensor operator()(const ir::Expand&) const { return in[0].expand(shape); }
  at::Tensor operator()(const ir::Select& op) const {
    return in[0].select(op.dim, op.index.at(kFirstBatch));
  }
  at::Tensor operator()(const ir::Slice& op) const {
    return in[0].slice(op.dim, op.start.at(kFirstBatch), op.end.at(kFirstBatch), op.step);
  }
  at::Tensor operator()(const ir::Constant&) const { return {}; }
  at::Tensor operator()(const ir::Opaque&) const { return {}; }  // see reach_through

 private:
  at::Tensor last(size_t count) const { return spread(in[0], count, shape); }
};

/// A vector has no rows of its own.
at::Tensor Way::operator()(const ir::MatMul&) const {
  const at::Tensor a = in[0].dim() == 1 ? in[0].unsqueeze(0) : in[0];
  const at::Tensor b = in[1].dim() == 1 ? in[1].unsqueeze(1) : in[1];
  at::Tensor reached = a.any(-1, true).logical_or(b.any(-2, true));
  return reached.reshape(shape);
}

at::Tensor Way::operator()(const ir::Mean& op) const {
  at::Tensor any = in[0];
  for (const int64_t dim : op.dims) any = any.any(dim, true);
  return any.reshape(shape);
}

/// Follows the images through a graph.
class Follower {
 public:
  Follower(const ir::Graph& graph, Places places)
      : graph_(graph), known_(std::move(places)), reach_(graph.values.size()) {}

  std::vector<Reach> follow();

 private:
  ir::Ints extents(ir::ValueId value) const {
    return ir::at_batch(graph_.values[static_cast<size_t>(value)].shape, kFirstBatch);
  }
  Reach through(const ir::Node& node);
  Reach through(const ir::Opaque& op, const ir::Node& node);
  at::Tensor value_for_trial(ir::ValueId value);

  const ir::Graph& graph_;
  /// Constants, what operators make of them, and places that a walk saw.
  std::map<ir::ValueId, at::Tensor> known_;
  std::vector<Reach> reach_;
  Draws draws_;
};

at::Tensor Follower::value_for_trial(ir::ValueId value) {
  const auto known = known_.find(value);
  return known == known_.end() ? draws_.floats(extents(value)) : known->second;
}

Reach Follower::through(const ir::Opaque& op, const ir::Node& node) {
  std::vector<Reach> inputs;
  std::vector<at::Tensor> values;
  for (const ir::ValueId input : node.inputs) {
    inputs.push_back(reach_[static_cast<size_t>(input)]);
    values.push_back(value_for_trial(input));
  }
  if (std::none_of(inputs.begin(), inputs.end(), is_reached)) {
    known_[node.output()] = ir::call_opaque(op, values, kFirstBatch);
    return {};
  }
  return reach_through(op, inputs, values, extents(node.output()), draws_);
}

Reach Follower::through(const ir::Node& node) {
  if (const auto* opaque = node.as<ir::Opaque>()) return through(*opaque, node);
  const ir::Ints shape = extents(node.output());
  Reach reach;
  for (size_t image = 0; image < reach.size(); ++image) {
    Masks in;
    bool any = false;
    for (const ir::ValueId input : node.inputs) {
      const at::Tensor& mask = reach_[static_cast<size_t>(input)][image];
      any = any || mask.defined();
      in.push_back(mask.defined() ? mask : at::zeros({}, at::kBool).expand(extents(input)));
    }
    if (any) reach[image] = std::visit(Way{in, shape}, node.op);
  }
  return reach;
}

std::vector<Reach> Follower::follow() {
  Reach& images = reach_[static_cast<size_t>(graph_.input)];
  for (size_t image = 0; image < images.size(); ++image) {
    at::Tensor rows = at::zeros({kFirstBatch, 1, 1, 1}, at::kBool);
    rows[static_cast<int64_t>(image)].fill_(true);
    images[image] = rows.expand(extents(graph_.input));
  }
  for (const ir::Node& node : graph_.nodes) {
    if (const auto* constant = node.as<ir::Constant>()) {
      known_[node.output()] = constant->value.value;
    }
    reach_[static_cast<size_t>(node.output())] = through(node);
  }
  return std::move(reach_);
}

}  // namespace

bool is_reached(const Reach& reach) {
  return std::any_of(reach.begin(), reach.end(),
                     [](const at::Tensor& mask) { return mask.defined(); });
}

std::vector<Reach> reach_of(const ir::Graph& graph, const Places& places) {
  return Follower(graph, places).follow();
}

}  // namespace ptq::import
