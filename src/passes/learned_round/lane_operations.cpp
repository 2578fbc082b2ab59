#include <ATen/ops/add.h>

#include <utility>

#include "passes/learned_round/lane_pass.h"
#include "passes/learned_round/operation.h"

namespace ptq::passes {
namespace {

class AddPass : public LanePass {
 public:
  explicit AddPass(LaneNode node) : node_(std::move(node)) {}
  void forward(const LaneStep&) override {
    at::add_out(node_.output, node_.inputs[0], node_.inputs[1]);
  }
  void backward() override {
    for (const Sink& sink : node_.sinks) sink.take(node_.by_output);
  }

 private:
  LaneNode node_;
};

class ConcatPass : public LanePass {
 public:
  explicit ConcatPass(LaneNode node) : node_(std::move(node)) {
    const int64_t dim = node_.node->as<ir::Concat>()->dim;
    int64_t begin = 0;
    for (const at::Tensor& input : node_.inputs) {
      const int64_t size = input.size(dim);
      parts_.push_back(node_.output.narrow(dim, begin, size));
      if (node_.by_output.defined()) by_parts_.push_back(node_.by_output.narrow(dim, begin, size));
      begin += size;
    }
  }
  void forward(const LaneStep&) override {
    for (size_t i = 0; i < parts_.size(); ++i) parts_[i].copy_(node_.inputs[i]);
  }
  void backward() override {
    for (size_t i = 0; i < parts_.size(); ++i) node_.sinks[i].take(by_parts_[i]);
  }

 private:
  LaneNode node_;
  std::vector<at::Tensor> parts_, by_parts_;
};

/// As UnitNetwork runs it.
class OtherPass : public LanePass {
 public:
  OtherPass(LaneNode node, const quant::QuantizerTable& table)
      : node_(std::move(node)), table_(table) {}

  void forward(const LaneStep& step) override {
    operation_ = run(step);
    node_.output.copy_(operation_->output());
  }

  void backward() override {
    const Tensors by_inputs = operation_->backward(node_.by_output);
    operation_.reset();
    for (size_t i = 0; i < node_.sinks.size(); ++i) node_.sinks[i].take(by_inputs[i]);
  }

 private:
  std::unique_ptr<Operation> run(const LaneStep& step) {
    std::vector<Tracked> inputs;
    for (size_t i = 0; i < node_.inputs.size(); ++i) {
      inputs.push_back({node_.inputs[i], node_.sinks[i].gradient.defined()});
    }
    const auto* fake = node_.node->as<ir::FakeQuantize>();
    if (fake == nullptr) return run_operation(node_.node->op, inputs, node_.images);
    Dropping dropping = step.dropping.of(node_.number);
    dropping.first =
        static_cast<uint32_t>(step.first_image * (node_.output.numel() / node_.images));
    return run_quantizer(inputs[0], table_, fake->quantizer, dropping);
  }

  LaneNode node_;
  const quant::QuantizerTable& table_;
  std::unique_ptr<Operation> operation_;
};

bool have_equal_sizes(const LaneNode& node) {
  for (const at::Tensor& input : node.inputs) {
    if (input.sizes() != node.output.sizes()) return false;
  }
  return true;
}

}  // namespace

void Sink::take(const at::Tensor& more) const {
  if (!gradient.defined() || gradient.is_same(more)) return;
  if (more.defined()) {
    adds ? gradient.add_(more) : gradient.copy_(more);
  } else if (!adds) {
    gradient.zero_();
  }
}

std::unique_ptr<LanePass> other_pass(const LaneNode& node, const quant::QuantizerTable& table) {
  if (node.node->is<ir::Add>() && have_equal_sizes(node)) return std::make_unique<AddPass>(node);
  if (node.node->is<ir::Concat>()) return std::make_unique<ConcatPass>(node);
  return std::make_unique<OtherPass>(node, table);
}

}  // namespace ptq::passes
