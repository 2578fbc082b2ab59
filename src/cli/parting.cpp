#include "parting.h"

#include <ATen/ops/equal.h>

#include <map>

#include "ptq/quant/fake_quantize.h"
#include "ptq/runtime/executor.h"

namespace ptq::cli {
namespace {

/// What each FakeQuantize was given, in the order of execution.
struct Tapped {
  std::vector<std::pair<const ir::Node*, at::Tensor>> inputs;
  at::Tensor logits;
};

Tapped tapped(const Streams& streams, bool compile, const at::Tensor& image) {
  Tapped stream;
  runtime::ExecutorOptions options;
  options.observer = [&](const ir::Node& node, const at::Tensor& value, int) {
    stream.inputs.emplace_back(&node, value.clone());
  };
  const auto executor = compile ? runtime::make_plan(streams.graph, streams.table, options)
                                : runtime::make_interpreter(streams.graph, streams.table, options);
  stream.logits = executor->run(image);
  return stream;
}

ir::QuantizerId quantizer_of(const ir::Node& node) {
  return node.as<ir::FakeQuantize>()->quantizer;
}

/// Outputs of the FakeQuantize nodes by the names of their values.
using Outputs = std::map<std::string, at::Tensor>;

Outputs outputs_of(const Streams& streams, exporting::ExportedModel& model,
                   const at::Tensor& image) {
  Outputs outputs;
  for (auto& [name, value] : model.values(image)) outputs[name] = value;
  if (!outputs.empty()) return outputs;
  const Tapped stream = tapped(streams, false, image);
  if (!at::equal(stream.logits, model.run(image))) return {};
  for (const auto& [node, value] : stream.inputs) {
    outputs[streams.graph.values[static_cast<size_t>(node->output())].name] =
        quant::fake_quantize_activation(value, streams.table, quantizer_of(*node));
  }
  return outputs;
}

/// `input` is what our stream rounds; `theirs` the other's result.
std::optional<Parting> parting_at(const ir::Node& node, const at::Tensor& input,
                                  const at::Tensor& theirs, const quant::QuantizerTable& table) {
  const quant::Quantizer& quantizer = table.at(quantizer_of(node));
  const at::Tensor& scale = table.scale_of(quantizer_of(node)).value;
  const at::Tensor ours = quant::fake_quantize_activation(input, table, quantizer_of(node));
  const at::Tensor steps = ours.sub(theirs.reshape(ours.sizes())).div(scale).abs();
  const at::Tensor differs = steps.gt(0.5);
  const int64_t count = differs.sum().item<int64_t>();
  if (count == 0) return std::nullopt;
  at::Tensor position = input.div(scale);
  if (quantizer.zero_point.defined()) position = position.add(quantizer.zero_point);
  const at::Tensor from_boundary = position.sub(position.floor()).sub(0.5).abs();
  return Parting{node.name, ours.numel(), count, steps.max().item<double>(),
                 from_boundary.mul(differs).max().item<double>()};
}

}  // namespace

std::optional<Parting> first_parting(const Streams& streams, exporting::ExportedModel& model,
                                     const at::Tensor& image) {
  const Outputs theirs = outputs_of(streams, model, image);
  if (theirs.empty()) return std::nullopt;
  for (const auto& [node, input] : tapped(streams, streams.compile, image).inputs) {
    const std::string& name = streams.graph.values[static_cast<size_t>(node->output())].name;
    const auto found = theirs.find(name);
    if (found == theirs.end() || found->second.numel() != input.numel()) continue;
    if (auto parting = parting_at(*node, input, found->second, streams.table)) return parting;
  }
  return std::nullopt;
}

}  // namespace ptq::cli
