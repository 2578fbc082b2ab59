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

int Recorder::version_of(const at::Tensor& tensor) const {
  if (!tensor.has_storage()) return 0;
  const auto found = written_.find(tensor.storage().unsafeGetStorageImpl());
  return found == written_.end() ? 0 : found->second.version;
}

bool Recorder::follows(const std::vector<at::Tensor>& tensors) const {
  return std::any_of(tensors.begin(), tensors.end(),
                     [this](const at::Tensor& tensor) { return follows(tensor); });
}

std::string Recorder::module() const {
  return open_calls_.empty() ? std::string() : calls_[open_calls_.back()].path;
}

void Recorder::check_readable(const at::Tensor& tensor) const {
  const Held* held = find(tensor);
  if (version_of(tensor) == (held == nullptr ? 0 : held->version)) return;
  throw ImportError(join_path(module(), "forward") +
                    " writes into a part of a tensor and reads the whole afterwards, or the other "
                    "way round; such writes through a view are not supported");
}

ir::ValueId Recorder::read(const at::Tensor& tensor) {
  check_readable(tensor);
  if (const Held* held = find(tensor)) return held->value;
  return append_constant(tensor);
}

ir::ValueId Recorder::append_constant(const at::Tensor& tensor) {
  ir::Parameter constant = parameter(tensor, "constant");
  if (names_.tensor(tensor).empty()) {
    const std::string viewed = names_.viewed(tensor);
    if (!viewed.empty()) constant.name = viewed;
    // A model may write into a constant after this use of it.
    constant.value = constant.value.clone();
  }
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

void Recorder::bind(const at::Tensor& tensor, ir::ValueId value) {
  held_.insert_or_assign(tensor.unsafeGetTensorImpl(),
                         Held{c10::weak_intrusive_ptr<c10::TensorImpl>(tensor.getIntrusivePtr()),
                              value, version_of(tensor)});
}

void Recorder::bind_written(const at::Tensor& tensor, ir::ValueId value) {
  const int version = version_of(tensor) + 1;
  c10::StorageImpl* storage = tensor.storage().unsafeGetStorageImpl();
  const auto owner = c10::intrusive_ptr<c10::StorageImpl>::reclaim_copy(storage);
  written_.insert_or_assign(storage,
                            Written{c10::weak_intrusive_ptr<c10::StorageImpl>(owner), version});
  bind(tensor, value);
}

ir::Parameter Recorder::parameter(const at::Tensor& tensor, const std::string& role) const {
  const std::string name = names_.tensor(tensor);
  return {name.empty() ? join_path(module(), role) : name, tensor.detach()};
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
  graph_.output = read(output);
  name_nodes();
  return std::move(graph_);
}

}  // namespace ptq::import
