#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <utility>

#include "passes/learned_round/lane_pass.h"
#include "passes/learned_round/operation.h"
#include "runtime/gemm.h"

namespace ptq::passes {
namespace {

class ConvolutionPass : public LanePass {
 public:
  ConvolutionPass(LaneNode node, const LayerWeight& layer, const at::Tensor& by_weight,
                  void* scratch)
      : node_(std::move(node)) {
    const auto* x = node_.inputs[0].data_ptr<float>();
    const runtime::TrainableConvolution& convolution = *layer.convolution;
    forward_ = convolution.forward(x, layer.bias.data_ptr<float>(), node_.output.data_ptr<float>(),
                                   scratch);
    if (!node_.by_output.defined()) return;
    const auto* by_y = node_.by_output.data_ptr<float>();
    const Sink& sink = node_.sinks[0];
    if (sink.gradient.defined()) {
      by_input_ = sink.adds ? at::empty_like(sink.gradient) : sink.gradient;
      run_by_input_ = convolution.by_input(by_y, by_input_.data_ptr<float>(), scratch);
    }
    if (layer.is_learned) {
      run_by_weight_ = convolution.by_weight(x, by_y, by_weight.data_ptr<float>(), scratch);
    }
  }

  void forward(const LaneStep&) override { forward_(); }

  void backward() override {
    if (run_by_weight_) run_by_weight_();
    if (!run_by_input_) return;
    run_by_input_();
    if (node_.sinks[0].adds) node_.sinks[0].take(by_input_);
  }

 private:
  LaneNode node_;
  at::Tensor by_input_;
  runtime::TrainableConvolution::Run forward_, run_by_input_, run_by_weight_;
};

/// Rows are what lies before the last dimension.
at::Tensor row_view(const at::Tensor& x) { return x.view({-1, x.size(-1)}); }

class LinearPass : public LanePass {
 public:
  LinearPass(const LaneNode& node, const LayerWeight& layer, const at::Tensor& by_weight)
      : layer_(layer), x_(row_view(node.inputs[0])), y_(row_view(node.output)) {
    if (!node.by_output.defined()) return;
    by_y_ = row_view(node.by_output);
    adds_ = node.sinks[0].adds;
    if (node.sinks[0].gradient.defined()) by_x_ = row_view(node.sinks[0].gradient);
    if (layer.is_learned) by_weight_ = by_weight.view(layer.weight.sizes());
  }

  void forward(const LaneStep&) override {
    y_.copy_(layer_.bias.expand_as(y_));
    runtime::add_product(y_, x_, layer_.weight.t());
  }

  void backward() override {
    if (by_weight_.defined()) runtime::add_product(by_weight_, by_y_.t(), x_, 1, 0);
    if (by_x_.defined()) runtime::add_product(by_x_, by_y_, layer_.weight, 1, adds_ ? 1.0F : 0.0F);
  }

 private:
  const LayerWeight& layer_;
  at::Tensor x_, y_, by_x_, by_y_, by_weight_;
  bool adds_ = false;
};

/// Other layers, as UnitNetwork runs them.
class OtherLayerPass : public LanePass {
 public:
  OtherLayerPass(LaneNode node, const LayerWeight& layer, at::Tensor by_weight)
      : node_(std::move(node)), layer_(layer), by_weight_(std::move(by_weight)) {}

  void forward(const LaneStep&) override {
    operation_ = run_layer(node_.node->op, {node_.inputs[0], node_.sinks[0].gradient.defined()},
                           {layer_.weight, layer_.is_learned}, layer_.bias);
    node_.output.copy_(operation_->output());
  }

  void backward() override {
    const Tensors by_inputs = operation_->backward(node_.by_output);
    operation_.reset();
    node_.sinks[0].take(by_inputs[0]);
    if (layer_.is_learned) by_weight_.view(layer_.weight.sizes()).copy_(by_inputs[1]);
  }

 private:
  LaneNode node_;
  const LayerWeight& layer_;
  at::Tensor by_weight_;
  std::unique_ptr<Operation> operation_;
};

}  // namespace

void LayerWeight::set(const at::Tensor& to) {
  weight = to.contiguous();
  if (convolution) convolution->set_weight(weight);
}

at::Tensor LayerWeight::unpacked(const at::Tensor& gradient) const {
  return convolution ? convolution->unpacked(gradient) : gradient.view(weight.sizes());
}

int64_t gradient_elements(const LayerWeight& layer) {
  return layer.convolution ? layer.convolution->gradient_elements() : layer.weight.numel();
}

std::unique_ptr<LanePass> layer_pass(const LaneNode& node, const LayerWeight& layer,
                                     const at::Tensor& by_weight, void* scratch) {
  if (layer.convolution) {
    return std::make_unique<ConvolutionPass>(node, layer, by_weight, scratch);
  }
  if (node.node->is<ir::Linear>() && node.inputs[0].is_contiguous() &&
      node.output.is_contiguous()) {
    return std::make_unique<LinearPass>(node, layer, by_weight);
  }
  return std::make_unique<OtherLayerPass>(node, layer, by_weight);
}

}  // namespace ptq::passes
