#include "import/recorder.h"

#include <algorithm>
#include <unordered_set>

#include "import/messages.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

bool remove_suffix(std::string& text, const std::string& suffix) {
  if (text.size() <= suffix.size() ||
      text.compare(text.size() - suffix.size(), suffix.size(), suffix) != 0) {
    return false;
  }
  text.resize(text.size() - suffix.size());
  return true;
}

/// The layer that owns a parameter: "conv1" of "conv1.weight", "attn.in_proj" of
/// "attn.in_proj_weight"; empty if the name says nothing.
std::string layer_of(std::string parameter_name) {
  for (const char* suffix : {".weight", "_weight", ".running_mean"}) {
    if (remove_suffix(parameter_name, suffix)) return parameter_name;
  }
  return {};
}

const ir::Parameter* naming_parameter(const ir::Node& node) {
  if (const ir::Weighted* layer = ir::weighted(node.op)) return &layer->weight;
  if (const auto* norm = node.as<ir::BatchNorm>()) return &norm->running_mean;
  const auto* norm = node.as<ir::LayerNorm>();
  return norm != nullptr && norm->weight ? &*norm->weight : nullptr;
}

std::string unused(const std::string& wanted, std::unordered_set<std::string>& used) {
  std::string name = wanted;
  for (int count = 1; !used.insert(name).second; ++count) {
    name = wanted + "_" + std::to_string(count);
  }
  return name;
}

}  // namespace

ir::Dims constant_dims(c10::IntArrayRef shape) {
  ir::Dims dims;
  for (const int64_t extent : shape) dims.push_back({extent, false});
  return dims;
}

void Recorder::start(const at::Tensor& images) {
  graph_.input = graph_.add_value("images", constant_dims(images.sizes()));
  bind(images, graph_.input);
}

void Recorder::enter(const ModuleInfo& module) {
  open_calls_.push_back(calls_.size());
  calls_.push_back({module.path, module.leaf, 0});
}

const Recorder::Held* Recorder::find(const at::Tensor& tensor) const {
  const auto found = held_.find(tensor.unsafeGetTensorImpl());
  return found == held_.end() ? nullptr : &found->second;
}

bool Recorder::follows(const std::vector<at::Tensor>& tensors) const {
  return std::any_of(tensors.begin(), tensors.end(),
                     [this](const at::Tensor& tensor) { return follows(tensor); });
}

std::string Recorder::module() const {
  return open_calls_.empty() ? std::string() : calls_[open_calls_.back()].path;
}

ir::ValueId Recorder::append_constant(const at::Tensor& tensor) {
  const std::string name = names_.tensor(tensor);
  ir::Parameter constant{name.empty() ? join_path(module(), "constant") : name, tensor.detach()};
  if (names_.tensor(tensor).empty()) {
    const std::string viewed = names_.viewed(tensor);
    if (!viewed.empty()) constant.name = viewed;
    // A model may write into a constant after this use of it.
    constant.value = constant.value.clone();
  }
  check_numbers(constant, tensor);
  return append(ir::Constant{std::move(constant)}, {}, tensor.sizes(), "constant");
}

ir::ValueId Recorder::append(ir::Op op, std::vector<ir::ValueId> inputs, c10::IntArrayRef shape,
                             const std::string& word) {
  const ir::ValueId value = graph_.add_value("", constant_dims(shape));
  const bool constant = std::holds_alternative<ir::Constant>(op);
  graph_.nodes.push_back({"", module(), std::move(op), std::move(inputs), {value}});
  origins_.push_back({open_calls_.back(), word});
  if (!constant) ++calls_[open_calls_.back()].nodes;
  return value;
}

ir::Parameter Recorder::parameter(const at::Tensor& tensor, const std::string& role) const {
  const std::string name = names_.tensor(tensor);
  ir::Parameter made{name.empty() ? join_path(module(), role) : name, tensor.detach()};
  if (name.empty() && tensor.is_floating_point() && !tensor.isfinite().all().item<bool>()) {
    throw ImportError(words_for(made.name, tensor) +
                      " holds values that are not finite (NaN or infinity)");
  }
  return made;
}

std::string Recorder::words_for(const std::string& name, const at::Tensor& tensor) const {
  const bool named = !names_.tensor(tensor).empty() || operation_.empty();
  return named ? name : name + " of " + operation_;
}

/// Infinities may be meant: masks of attentions.
void Recorder::check_numbers(const ir::Parameter& parameter, const at::Tensor& tensor) const {
  if (!tensor.is_floating_point() || !tensor.isnan().any().item<bool>()) return;
  throw ImportError(words_for(parameter.name, tensor) + " holds values that are not finite (NaN)");
}

std::string Recorder::wanted_name(const ir::Node& node, const Origin& origin) const {
  if (const auto* constant = node.as<ir::Constant>()) return constant->value.name;
  if (const ir::Parameter* parameter = naming_parameter(node)) {
    const std::string layer = layer_of(parameter->name);
    if (!layer.empty()) return layer;
  }
  const ModuleCall& call = calls_[origin.call];
  if (call.leaf && call.nodes == 1 && !call.path.empty()) return call.path;
  return join_path(call.path, origin.word);
}

void Recorder::name_nodes() {
  std::unordered_set<std::string> used;
  size_t index = 0;
  for (ir::Node& node : graph_.nodes) {
    node.name = unused(wanted_name(node, origins_[index++]), used);
    graph_.values[static_cast<size_t>(node.output())].name = node.name;
  }
}

ir::Graph Recorder::finish(const at::Tensor& output) {
  // Reading memory that was written into takes nodes, and all modules have been left.
  open_calls_.assign(1, 0);
  graph_.output = read(output);
  name_nodes();
  return std::move(graph_);
}

}  // namespace ptq::import
