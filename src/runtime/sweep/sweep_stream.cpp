#include "runtime/sweep/sweep_stream.h"

#include <algorithm>
#include <atomic>
#include <map>

#include "ptq/base/error.h"
#include "quant/layer_quantizers.h"
#include "runtime/plan/lane_threads.h"
#include "runtime/sweep/network_part.h"

namespace ptq::runtime {
namespace {

ExecutorOptions options_for(const Stream& kind) {
  ExecutorOptions options;
  options.numerics = kind.quantize_activations ? Numerics::kQuantized : Numerics::kFloat;
  return options;
}

}  // namespace

SweepStream::SweepStream(const SweepNetwork& network, const Stream& kind,
                         const std::vector<SweepUnit>& units,
                         const std::vector<ActivationStore::Handle>& images)
    : network_(network), kind_(kind), plan_(prepare_plan_graph(network.now, options_for(kind))) {
  std::unordered_map<std::string, size_t> positions;
  for (const ir::Node& node : network.now.graph.nodes)
    positions.emplace(node.name, positions.size());
  for (const ir::Node& node : plan_.graph.nodes) {
    steps_.push_back({&node, positions.at(node.name)});
  }
  note_reads(units);
  for (const ActivationStore::Handle& batch : images) {
    live_.push_back({{plan_.graph.input, batch}});
    images_.push_back(batch->layout().sizes.at(0));
  }
}

void SweepStream::note_reads(const std::vector<SweepUnit>& units) {
  for (const Step& step : steps_) {
    for (const ir::ValueId input : step.node->inputs) last_read_[input] = step.position;
  }
  for (const SweepUnit& unit : units) {
    ++wanted_[source(unit.input)];
    if (is_original()) ++wanted_[source(unit.output)];
  }
}

/// The value that stands for `value` here: without activation quantizers, what they read.
ir::ValueId SweepStream::source(ir::ValueId value) const {
  if (kind_.quantize_activations) return value;
  const ir::Node* producer = network_.index.producer(value);
  while (producer != nullptr && producer->is<ir::FakeQuantize>()) {
    value = producer->inputs[0];
    producer = network_.index.producer(value);
  }
  return value;
}

bool SweepStream::is_needed(ir::ValueId value, size_t from) const {
  const auto read = last_read_.find(value);
  const auto wanted = wanted_.find(value);
  return (read != last_read_.end() && read->second >= from) ||
         (wanted != wanted_.end() && wanted->second > 0);
}

/// The node with the weights of this stream in place, and nothing left to quantize in it.
ir::Node SweepStream::with_weights(const ir::Node& node) const {
  ir::Node own = node;
  ir::Weighted* layer = ir::weighted(own.op);
  if (layer == nullptr) return own;
  if (!is_original()) {
    const ir::Node& now = *network_.index.producer(node.output());
    const ir::Weighted& current = *ir::weighted(now.op);
    const quant::LayerTensors quantized =
        quant::quantized_layer_tensors(network_.index, now, network_.now.table);
    layer->weight.value =
        kind_.weights == Stream::Weights::kQuantized ? quantized.weight : current.weight.value;
    layer->bias = current.bias;
    if (layer->bias && kind_.quantize_activations) layer->bias->value = quantized.bias;
  } else if (const auto original = network_.options.original_weights.find(node.name);
             original != network_.options.original_weights.end()) {
    layer->weight.value = original->second;
  }
  layer->weight_quantizer = layer->bias_quantizer = ir::kNoQuantizer;
  return own;
}

PlanGraph SweepStream::nodes_until(size_t end) {
  PlanGraph part = plan_.without_nodes();
  for (; done_ < steps_.size() && steps_[done_].position < end; ++done_) {
    part.graph.nodes.push_back(with_weights(*steps_[done_].node));
  }
  return part;
}

PartValues SweepStream::values_of(const ir::Graph& part, size_t end) const {
  PartValues values;
  std::unordered_map<ir::ValueId, bool> made;
  for (const ir::Node& node : part.nodes) {
    for (const ir::ValueId input : node.inputs) {
      if (made.count(input) == 0 && !plan_.is_constant(input)) values.inputs[input] = {};
    }
    made[node.output()] = true;
    if (is_needed(node.output(), end)) values.outputs.push_back(node.output());
  }
  return values;
}

void SweepStream::advance(size_t end) {
  if (end <= position_) return;
  position_ = end;
  const PlanGraph part = nodes_until(end);
  const PartValues values = values_of(part.graph, end);
  if (!values.outputs.empty()) run(part, values, end);
}

void SweepStream::run(const PlanGraph& part, const PartValues& values, size_t end) {
  std::map<int64_t, Program> programs;
  on_lane_threads(1, [&](int) {
    for (size_t batch = 0; batch < live_.size(); ++batch) {
      if (programs.count(images_[batch]) != 0) continue;
      PartValues own = values;
      for (auto& [value, layout] : own.inputs) layout = live_[batch].at(value)->layout();
      programs.emplace(images_[batch], compile_part(part, own, images_[batch]));
    }
  });
  std::atomic<size_t> next{0};
  on_lane_threads(network_.options.threads, [&](int) {
    PartMemory memory;
    for (size_t batch = next++; batch < live_.size(); batch = next++) {
      run_batch(programs.at(images_[batch]), live_[batch], memory, end);
    }
  });
}

void SweepStream::run_batch(const Program& program, Live& live, PartMemory& memory,
                            size_t end) const {
  std::vector<at::Tensor> inputs;
  for (const SlotId input : program.inputs) inputs.push_back(live.at(input)->load());
  std::vector<at::Tensor> outputs = run_part(program, inputs, memory);
  inputs.clear();
  for (auto value = live.begin(); value != live.end();) {
    value = is_needed(value->first, end) ? std::next(value) : live.erase(value);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    live[program.outputs[i]] = network_.store.keep(outputs[i]);
  }
}

at::Tensor SweepStream::value(ir::ValueId value, int64_t batch) const {
  const auto& live = live_.at(static_cast<size_t>(batch));
  const auto found = live.find(source(value));
  if (found == live.end()) throw InternalError("a sweep has no such value at this unit");
  return found->second->load();
}

void SweepStream::finish(const SweepUnit& unit) {
  --wanted_[source(unit.input)];
  if (is_original()) --wanted_[source(unit.output)];
}

}  // namespace ptq::runtime
