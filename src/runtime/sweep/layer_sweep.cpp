#include "runtime/layer_sweep.h"

#include <algorithm>
#include <list>
#include <unordered_set>

#include "base/threads.h"
#include "ptq/base/error.h"
#include "quant/layer_quantizers.h"
#include "runtime/sweep/activation_store.h"
#include "runtime/sweep/sweep_images.h"
#include "runtime/sweep/sweep_stream.h"

namespace ptq::runtime {
namespace {

/// By value: whether it depends on the images.
std::vector<bool> image_values(const ir::Graph& graph) {
  std::vector<bool> depends(graph.values.size(), false);
  depends[static_cast<size_t>(graph.input)] = true;
  for (const ir::Node& node : graph.nodes) {
    for (const ir::ValueId input : node.inputs) {
      if (depends[static_cast<size_t>(input)]) depends[static_cast<size_t>(node.output())] = true;
    }
  }
  return depends;
}

class UnitCheck {
 public:
  UnitCheck(const ir::Graph& graph, const ir::Index& index)
      : index_(index), depends_(image_values(graph)) {}

  void operator()(const SweepUnit& unit) const {
    if (unit.nodes.empty()) throw InternalError("a unit of a sweep has no nodes");
    const std::unordered_set<const ir::Node*> own(unit.nodes.begin(), unit.nodes.end());
    for (const ir::Node* node : unit.nodes) {
      for (const ir::ValueId input : node->inputs) {
        const bool is_outside = own.count(index_.producer(input)) == 0;
        if (is_outside && input != unit.input && depends_[static_cast<size_t>(input)]) {
          throw InternalError(node->name + ": its unit reads more than one value");
        }
      }
      if (node->output() != unit.output && is_read_outside(*node, own)) {
        throw InternalError(node->name + ": its unit makes more than one value");
      }
    }
  }

 private:
  bool is_read_outside(const ir::Node& node, const std::unordered_set<const ir::Node*>& own) const {
    const auto& users = index_.users(node.output());
    return index_.is_graph_output(node.output()) ||
           std::any_of(users.begin(), users.end(),
                       [&](const ir::Node* user) { return own.count(user) == 0; });
  }

  const ir::Index& index_;
  std::vector<bool> depends_;
};

/// A unit and the positions of its nodes in the graph.
struct PlacedUnit {
  SweepUnit unit;
  size_t first = 0, last = 0;
};

std::vector<PlacedUnit> in_order(const ir::Graph& graph, std::vector<SweepUnit> units) {
  std::unordered_map<const ir::Node*, size_t> positions;
  for (const ir::Node& node : graph.nodes) positions.emplace(&node, positions.size());
  std::vector<PlacedUnit> placed;
  for (SweepUnit& unit : units) {
    PlacedUnit own{std::move(unit), positions.size(), 0};
    for (const ir::Node* node : own.unit.nodes) {
      own.first = std::min(own.first, positions.at(node));
      own.last = std::max(own.last, positions.at(node));
    }
    placed.push_back(std::move(own));
  }
  std::sort(placed.begin(), placed.end(),
            [](const PlacedUnit& a, const PlacedUnit& b) { return a.first < b.first; });
  return placed;
}

class Stop final : public SweepStop {
 public:
  Stop(const SweepUnit& unit, const std::list<SweepStream>& streams,
       const std::vector<int64_t>& sources)
      : unit_(unit), sources_(sources) {
    for (const SweepStream& stream : streams) streams_.push_back(&stream);
  }

  const SweepUnit& unit() const override { return unit_; }
  int64_t batches() const override { return static_cast<int64_t>(sources_.size()); }
  int64_t source(int64_t batch) const override { return sources_.at(static_cast<size_t>(batch)); }
  int64_t images(int64_t batch) const override { return streams_.front()->images(batch); }
  at::Tensor input(int stream, int64_t batch) const override {
    return at(stream).value(unit_.input, batch);
  }
  at::Tensor output(int stream, int64_t batch) const override {
    if (!at(stream).is_original()) {
      throw InternalError("a unit has no output yet in a stream whose weights change");
    }
    return at(stream).value(unit_.output, batch);
  }

 private:
  const SweepStream& at(int stream) const { return *streams_.at(static_cast<size_t>(stream)); }

  const SweepUnit& unit_;
  std::vector<const SweepStream*> streams_;
  const std::vector<int64_t>& sources_;
};

bool one_at_a_time(const quant::QuantizerTable& table, const std::vector<Stream>& streams) {
  return quant::has_dynamic_scale(table) &&
         std::any_of(streams.begin(), streams.end(),
                     [](const Stream& stream) { return stream.quantize_activations; });
}

}  // namespace

SweepUnit unit_of(ir::Node& layer) { return {{&layer}, layer.inputs.at(0), layer.output()}; }

void sweep(QuantizedNetwork& network, const SweepOptions& options, std::vector<SweepUnit> units,
           const std::function<std::optional<at::Tensor>()>& next_batch,
           const std::function<void(const SweepStop&)>& treat) {
  const ir::Index index(network.graph);
  const UnitCheck check(network.graph, index);
  for (const SweepUnit& unit : units) check(unit);
  const ActivationStore store(options.memory_bytes);
  SweepImages images = take_images(
      store, one_at_a_time(network.table, options.streams) ? 1 : kImagesAtOnce, next_batch);
  const SweepNetwork swept{network, index, options, store};
  std::list<SweepStream> streams;
  for (const Stream& kind : options.streams) {
    streams.emplace_back(swept, kind, units, images.batches);
  }
  images.batches.clear();
  for (const PlacedUnit& placed : in_order(network.graph, std::move(units))) {
    for (SweepStream& stream : streams) {
      stream.advance(stream.is_original() ? placed.last + 1 : placed.first);
    }
    set_intra_op_threads(options.threads);
    treat(Stop(placed.unit, streams, images.sources));
    for (SweepStream& stream : streams) stream.finish(placed.unit);
  }
}

}  // namespace ptq::runtime
