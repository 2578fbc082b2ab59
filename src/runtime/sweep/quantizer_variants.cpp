#include "runtime/quantizer_variants.h"

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <unordered_map>

#include "quant/layer_quantizers.h"
#include "runtime/plan/lane_threads.h"
#include "runtime/sweep/cut_network.h"
#include "runtime/sweep/network_part.h"
#include "runtime/sweep/sweep_images.h"

namespace ptq::runtime {
namespace {

using Live = std::unordered_map<ir::ValueId, ActivationStore::Handle>;
using Own = std::unordered_map<ir::ValueId, at::Tensor>;

/// A variant on its way: what it computes in place of the base.
struct Branch {
  Branch(size_t number, const ir::Graph& graph, const std::vector<size_t>& stretches,
         QuantizerStates states, const QuantizerVariant& change, const CutNetwork& base)
      : variant(number),
        network(graph, stretches, std::move(states)),
        differs(network.differences(base, {change.quantizers.begin(), change.quantizers.end()})) {}

  size_t variant;
  CutNetwork network;
  std::vector<bool> differs;
};

class VariantRuns {
 public:
  VariantRuns(const ir::Graph& graph, const QuantizerStates& base,
              const std::vector<QuantizerVariant>& variants, const VariantOptions& options,
              const OnVariantLogits& on_logits)
      : graph_(graph),
        states_(base),
        variants_(variants),
        options_(options),
        on_logits_(on_logits),
        stretches_(stretches_of(graph)),
        base_(graph, stretches_, base),
        store_(options.memory_bytes) {}

  void run(const std::function<std::optional<at::Tensor>()>& next_batch) {
    take(next_batch);
    const std::vector<std::vector<size_t>> by_start = starts();
    for (size_t stretch = 0; stretch < by_start.size(); ++stretch) {
      if (stretch > 0) advance(stretch - 1);
      branch_off(by_start[stretch], stretch);
    }
  }

 private:
  void take(const std::function<std::optional<at::Tensor>()>& next_batch) {
    bool is_dynamic = quant::has_dynamic_scale(states_.table);
    for (const QuantizerVariant& variant : variants_) {
      is_dynamic = is_dynamic || (variant.from && quant::has_dynamic_scale(*variant.from));
    }
    int64_t first = 0;
    for (const auto& batch :
         take_images(store_, is_dynamic ? 1 : kImagesAtOnce, next_batch).batches) {
      live_.push_back({{base_.input(), batch}});
      first_images_.push_back(first);
      images_.push_back(batch->layout().sizes.at(0));
      first += images_.back();
    }
  }

  /// By stretch: the variants that begin there; up to the last stretch with one.
  std::vector<std::vector<size_t>> starts() const {
    std::vector<std::vector<size_t>> starts;
    const std::vector<size_t> first = first_stretches(graph_, variants_);
    for (size_t i = 0; i < first.size(); ++i) {
      starts.resize(std::max(starts.size(), first[i] + 1));
      starts[first[i]].push_back(i);
    }
    return starts;
  }

  void branch_off(const std::vector<size_t>& variants, size_t start) {
    std::list<Branch> branches;
    std::vector<Branch*> of_task;
    for (const size_t i : variants) {
      branches.emplace_back(i, graph_, stretches_, changed_states(states_, variants_[i]),
                            variants_[i], base_);
      of_task.insert(of_task.end(), live_.size(), &branches.back());
    }
    std::atomic<size_t> next{0};
    on_lane_threads(options_.threads, [&](int) {
      PartMemory memory;
      for (size_t task = next++; task < of_task.size(); task = next++) {
        run_branch(*of_task[task], task % live_.size(), start, memory);
      }
    });
  }

  void run_branch(Branch& branch, size_t batch, size_t start, PartMemory& memory) {
    Own own;
    for (size_t i = start; i < base_.size(); ++i) {
      CutNetwork& network = branch.differs[i] ? branch.network : base_;
      run_stretch(network, i, batch, own, memory);
      for (auto value = own.begin(); value != own.end();) {
        value = branch.network.is_needed(value->first, i + 1) ? std::next(value) : own.erase(value);
      }
    }
    const at::Tensor logits = own.at(branch.network.output()).contiguous();
    const std::lock_guard<std::mutex> lock(mutex_);
    on_logits_(branch.variant, first_images_[batch], logits);
  }

  /// Adds what the stretch makes to `own`, in which values stand before those of the base.
  void run_stretch(CutNetwork& network, size_t index, size_t batch, Own& own, PartMemory& memory) {
    std::vector<at::Tensor> inputs;
    std::vector<Layout> layouts;
    for (const ir::ValueId value : network.inputs(index)) {
      const auto found = own.find(value);
      inputs.push_back(found != own.end() ? found->second : live_[batch].at(value)->load());
      layouts.push_back(layout_of(inputs.back()));
    }
    const Program* program = network.program(index, layouts, images_[batch]);
    if (program == nullptr) return;
    const std::vector<at::Tensor> outputs = run_part(*program, inputs, memory);
    for (size_t i = 0; i < outputs.size(); ++i) own[program->outputs[i]] = outputs[i];
  }

  /// Takes the base through one stretch.
  void advance(size_t stretch) {
    std::atomic<size_t> next{0};
    on_lane_threads(options_.threads, [&](int) {
      PartMemory memory;
      for (size_t batch = next++; batch < live_.size(); batch = next++) {
        Own made;
        run_stretch(base_, stretch, batch, made, memory);
        Live& live = live_[batch];
        for (auto value = live.begin(); value != live.end();) {
          value = base_.is_needed(value->first, stretch + 1) ? std::next(value) : live.erase(value);
        }
        for (const auto& [value, tensor] : made) live[value] = store_.keep(tensor);
      }
    });
  }

  const ir::Graph& graph_;
  const QuantizerStates& states_;
  const std::vector<QuantizerVariant>& variants_;
  const VariantOptions& options_;
  const OnVariantLogits& on_logits_;
  const std::vector<size_t> stretches_;
  CutNetwork base_;
  const ActivationStore store_;
  /// By batch: values of the base that are still needed, the first image, the number of images.
  std::vector<Live> live_;
  std::vector<int64_t> first_images_, images_;
  std::mutex mutex_;
};

}  // namespace

QuantizerStates all_quantizers(quant::QuantizerTable table, bool on) {
  const size_t count = table.quantizers.size();
  return {std::move(table), std::vector<bool>(count, on)};
}

QuantizerStates changed_states(QuantizerStates base, const QuantizerVariant& variant) {
  for (const ir::QuantizerId id : variant.quantizers) {
    base.table.at(id) = variant.from->at(id);
    base.table.scale_of(id) = variant.from->scale_of(id);
    base.on[static_cast<size_t>(id)] = true;
  }
  return base;
}

void run_variants(const ir::Graph& graph, const QuantizerStates& base,
                  const std::vector<QuantizerVariant>& variants, const VariantOptions& options,
                  const std::function<std::optional<at::Tensor>()>& next_batch,
                  const OnVariantLogits& on_logits) {
  VariantRuns(graph, base, variants, options, on_logits).run(next_batch);
}

std::vector<size_t> first_stretches(const ir::Graph& graph,
                                    const std::vector<QuantizerVariant>& variants) {
  const std::vector<size_t> stretches = stretches_of(graph);
  std::unordered_map<ir::QuantizerId, size_t> first;
  size_t at = 0;
  for (const ir::Node& node : graph.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    const auto* fake = node.as<ir::FakeQuantize>();
    if (layer != nullptr) first.emplace(layer->weight_quantizer, stretches[at]);
    if (fake != nullptr) first.emplace(fake->quantizer, stretches[at]);
    ++at;
  }
  std::vector<size_t> starts;
  for (const QuantizerVariant& variant : variants) {
    size_t start = variant.quantizers.empty() ? 0 : stretches.back();
    for (const ir::QuantizerId id : variant.quantizers) {
      const auto found = first.find(id);
      if (found != first.end()) start = std::min(start, found->second);
    }
    starts.push_back(start);
  }
  return starts;
}

}  // namespace ptq::runtime
