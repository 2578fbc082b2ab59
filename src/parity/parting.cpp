#include "parity/parting.h"

#include <ATen/ops/equal.h>

#include "base/threads.h"
#include "quant/fake_quantize.h"

namespace ptq::parity {
namespace {

ir::QuantizerId quantizer_of(const ir::Node& node) {
  return node.as<ir::FakeQuantize>()->quantizer;
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
  at::Tensor position = input.to(at::kDouble).div(scale);
  if (quantizer.zero_point.defined()) position = position.add(quantizer.zero_point);
  const at::Tensor from_boundary = position.sub(position.floor()).sub(0.5).abs();
  return Parting{node.name, ours.numel(), count, steps.max().item<double>(),
                 from_boundary.mul(differs).max().item<double>()};
}

bool name_one_class(const at::Tensor& a, const at::Tensor& b) {
  return at::equal(a.flatten().argmax(), b.flatten().argmax());
}

}  // namespace

at::Tensor PartingFinder::Tapped::run(const at::Tensor& image) {
  inputs.clear();
  return executor->run(image);
}

PartingFinder::PartingFinder(const Stream& stream) : stream_(stream) {
  for (const ir::Node& node : stream.network.graph.nodes) {
    if (node.is<ir::FakeQuantize>()) names_.push_back(name_of(node.output()));
  }
  names_.push_back(name_of(stream.network.graph.output));
}

const std::string& PartingFinder::name_of(ir::ValueId value) const {
  return stream_.network.graph.values[static_cast<size_t>(value)].name;
}

std::unique_ptr<PartingFinder::Tapped> PartingFinder::tapped(bool compile) const {
  auto stream = std::make_unique<Tapped>();
  runtime::ExecutorOptions options;
  options.threads = stream_.threads;
  options.observer = [seen = stream.get()](const ir::Node& node, const at::Tensor& value, int) {
    seen->inputs.emplace_back(&node, value.clone());
  };
  stream->executor = compile ? runtime::make_plan(stream_.network, options)
                             : runtime::make_interpreter(stream_.network, options);
  return stream;
}

exporting::NamedValues PartingFinder::values_of(exporting::ExportedModel& model,
                                                const at::Tensor& image) {
  exporting::NamedValues values = model.values(image, names_);
  if (!values.empty()) return values;
  if (!interpreter_) interpreter_ = tapped(false);
  const at::Tensor logits = interpreter_->run(image);
  set_intra_op_threads(stream_.threads);
  if (!at::equal(logits, model.run(image))) return {};
  for (const auto& [node, value] : interpreter_->inputs) {
    values[name_of(node->output())] =
        quant::fake_quantize_activation(value, stream_.network.table, quantizer_of(*node));
  }
  values[name_of(stream_.network.graph.output)] = logits;
  return values;
}

std::optional<Parting> PartingFinder::find(exporting::ExportedModel& model, const at::Tensor& image,
                                           const at::Tensor& ours, const at::Tensor& theirs) {
  const exporting::NamedValues values = values_of(model, image);
  const auto logits = values.find(name_of(stream_.network.graph.output));
  if (logits == values.end() || !name_one_class(logits->second, theirs)) return std::nullopt;
  if (!ours_) ours_ = tapped(stream_.compile);
  if (!name_one_class(ours_->run(image), ours)) return std::nullopt;
  for (const auto& [node, input] : ours_->inputs) {
    const auto found = values.find(name_of(node->output()));
    if (found == values.end() || found->second.numel() != input.numel()) continue;
    if (auto parting = parting_at(*node, input, found->second, stream_.network.table))
      return parting;
  }
  return Parting{};
}

}  // namespace ptq::parity
