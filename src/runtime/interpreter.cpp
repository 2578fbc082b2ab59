#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>

#include "base/execution_error.h"
#include "base/first_sentence.h"
#include "base/threads.h"
#include "ptq/base/error.h"
#include "ptq/ir/tensors.h"
#include "ptq/runtime/executor.h"
#include "quant/fake_quantize.h"
#include "quant/layer_quantizers.h"
#include "runtime/execute_op.h"

namespace ptq::runtime {
namespace {

/// One node, its layer tensors quantized where they have to be.
struct NodeCall {
  ir::Node node;
  /// The node of the caller's graph, for the observer.
  const ir::Node* original;
  bool is_observed;
  /// Values that nothing reads after this step.
  std::vector<ir::ValueId> last_reads;
};

/// Marks each value at the step that reads it last, or makes it when nobody does.
void find_last_reads(std::vector<NodeCall>& steps, ir::ValueId graph_output) {
  std::unordered_map<ir::ValueId, NodeCall*> last;
  for (NodeCall& step : steps) {
    last[step.node.output()] = &step;
    for (const ir::ValueId input : step.node.inputs) last[input] = &step;
  }
  for (const auto& [value, step] : last) {
    if (value != graph_output) step->last_reads.push_back(value);
  }
}

void quantize_layer(const ir::Index& index, const ir::Node& original,
                    const quant::QuantizerTable& table, ir::Node& node) {
  ir::Weighted* layer = ir::weighted(node.op);
  if (layer == nullptr) return;
  const quant::LayerTensors tensors = quant::quantized_layer_tensors(index, original, table);
  layer->weight.value = tensors.weight;
  if (layer->bias) layer->bias->value = tensors.bias;
}

void convert_tensors(ir::Op& op, at::ScalarType dtype) {
  ir::visit_tensors(op, [&](at::Tensor& tensor) {
    if (tensor.is_floating_point()) tensor = tensor.to(dtype);
  });
}

std::vector<NodeCall> make_steps(NetworkView network, const ExecutorOptions& options) {
  ir::Graph graph = network.graph;
  const ir::Index index(graph);
  std::vector<NodeCall> steps;
  auto caller_node = network.graph.nodes.begin();
  for (const ir::Node& node : graph.nodes) {
    steps.push_back({node, &*caller_node, options.sees(*caller_node), {}});
    ++caller_node;
    ir::Node& own = steps.back().node;
    if (options.numerics == Numerics::kQuantized) quantize_layer(index, node, network.table, own);
    if (options.dtype != at::kFloat) convert_tensors(own.op, options.dtype);
  }
  find_last_reads(steps, graph.output);
  return steps;
}

class Interpreter final : public Executor {
 public:
  Interpreter(NetworkView network, ExecutorOptions options)
      : steps_(make_steps(network, options)),
        table_(network.table),
        one_at_a_time_(options.numerics == Numerics::kQuantized &&
                       quant::has_dynamic_scale(table_)),
        options_(std::move(options)),
        input_(network.graph.input),
        output_(network.graph.output) {}

  at::Tensor run(const at::Tensor& images) override;

 private:
  at::Tensor run_batch(const at::Tensor& images) const;
  at::Tensor run_step(const NodeCall& step, const std::vector<at::Tensor>& inputs,
                      int64_t batch) const;
  at::Tensor quantize(const NodeCall& step, const at::Tensor& value) const;

  std::vector<NodeCall> steps_;
  quant::QuantizerTable table_;
  /// A dynamic scale is that of one image.
  bool one_at_a_time_;
  ExecutorOptions options_;
  ir::ValueId input_;
  ir::ValueId output_;
};

at::Tensor Interpreter::quantize(const NodeCall& step, const at::Tensor& value) const {
  if (options_.numerics == Numerics::kFloat) return value;
  const ir::QuantizerId id = step.node.as<ir::FakeQuantize>()->quantizer;
  return quant::fake_quantize_activation(value.to(at::kFloat), table_, id).to(options_.dtype);
}

at::Tensor Interpreter::run_step(const NodeCall& step, const std::vector<at::Tensor>& inputs,
                                 int64_t batch) const {
  if (step.is_observed) options_.observer(*step.original, inputs.front().to(at::kFloat), 0);
  if (step.node.is<ir::FakeQuantize>()) return quantize(step, inputs.front());
  try {
    return execute_op(step.node.op, inputs, batch);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw ExecutionError(step.node.name + " (" + std::string(ir::op_name(step.node.op)) +
                         ") fails: " + first_sentence(error));
  }
}

at::Tensor Interpreter::run(const at::Tensor& images) {
  const c10::InferenceMode no_gradients;
  set_intra_op_threads(options_.threads);
  if (!one_at_a_time_) return run_batch(images);
  std::vector<at::Tensor> rows;
  for (int64_t i = 0; i < images.size(0); ++i) rows.push_back(run_batch(images.narrow(0, i, 1)));
  return at::cat(rows);
}

at::Tensor Interpreter::run_batch(const at::Tensor& images) const {
  // In the layout that a module gets from torchvision's transforms: another layout, another kernel,
  // another order of summation.
  std::unordered_map<ir::ValueId, at::Tensor> values{
      {input_, images.contiguous().to(options_.dtype)}};
  for (const NodeCall& step : steps_) {
    std::vector<at::Tensor> inputs;
    for (const ir::ValueId input : step.node.inputs) inputs.push_back(values.at(input));
    values[step.node.output()] = run_step(step, inputs, images.size(0));
    for (const ir::ValueId value : step.last_reads) values.erase(value);
  }
  return values.at(output_).to(at::kFloat).contiguous();
}

}  // namespace

std::unique_ptr<Executor> make_interpreter(NetworkView network, ExecutorOptions options) {
  return std::make_unique<Interpreter>(network, std::move(options));
}

}  // namespace ptq::runtime
