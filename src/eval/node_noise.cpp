#include "eval/node_noise.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <unordered_set>

#include "eval/noise_tally.h"
#include "eval/probed_network.h"
#include "ir/channel_axis.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"

// What a FakeQuantize makes is computed from what it reads: in float it has no value of its own.
namespace ptq::eval {
namespace {

/// One node whose output is compared.
struct Site {
  const ir::Node* exact;
  const ir::Node* quantized;
  NoiseTally noise;
  std::optional<OwnTally> own;
  std::optional<NoiseTally> weight;
};

bool only_moves(const ir::Node& node) {
  return node.is<ir::Reshape>() || node.is<ir::Permute>() || node.is<ir::Expand>();
}

/// Values that depend on the images.
std::unordered_set<ir::ValueId> varying_values(const ir::Graph& graph) {
  std::unordered_set<ir::ValueId> varying{graph.input};
  for (const ir::Node& node : graph.nodes) {
    const bool varies = std::any_of(node.inputs.begin(), node.inputs.end(),
                                    [&](ir::ValueId input) { return varying.count(input) != 0; });
    if (varies) varying.insert(node.outputs.begin(), node.outputs.end());
  }
  return varying;
}

class Measurement {
 public:
  Measurement(const ir::Graph& exact, const QuantizedNetwork& quantized)
      : quantized_(quantized.graph), table_(quantized.table) {
    if (exact.nodes.size() != quantized_.nodes.size()) {
      throw InternalError("noise is measured between two states of one network");
    }
    const std::unordered_set<ir::ValueId> varying = varying_values(quantized_);
    const ir::Index index(quantized_);
    auto other = exact.nodes.begin();
    for (const ir::Node& node : quantized_.nodes) {
      if (varying.count(node.output()) != 0 && !only_moves(node)) add_site(index, *other, node);
      ++other;
    }
  }

  std::vector<ir::ValueId> seen() const {
    std::vector<ir::ValueId> values;
    for (const Site& site : sites_) {
      const ir::ValueId value = seen_at(*site.quantized);
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    }
    return values;
  }

  void add(const SeenValues& in_float, const SeenValues& in_codes) {
    for (Site& site : sites_) {
      const ir::ValueId value = seen_at(*site.quantized);
      const at::Tensor& before = in_float.at(value);
      const auto* fake = site.quantized->as<ir::FakeQuantize>();
      if (fake == nullptr) {
        site.noise.add(before, in_codes.at(value));
        continue;
      }
      const auto quantize = [&](const at::Tensor& x) {
        return quant::fake_quantize_activation(x.contiguous(), table_, fake->quantizer);
      };
      site.noise.add(before, quantize(in_codes.at(value)));
      site.own->add(before, quantize(before));
    }
  }

  std::vector<NodeNoise> results() const {
    std::vector<NodeNoise> all;
    for (const Site& site : sites_) {
      NodeNoise node{site.quantized->name,
                     std::string(ir::op_name(site.quantized->op)),
                     site.noise.sqnr(),
                     site.noise.median_channel_sqnr(),
                     site.noise.range(),
                     {},
                     {}};
      if (site.own) node.own = site.own->result();
      if (site.weight) node.weight_range = site.weight->range();
      all.push_back(std::move(node));
    }
    return all;
  }

 private:
  static ir::ValueId seen_at(const ir::Node& node) {
    return node.is<ir::FakeQuantize>() ? node.inputs[0] : node.output();
  }

  void add_site(const ir::Index& index, const ir::Node& exact, const ir::Node& node) {
    Site site{
        &exact, &node, NoiseTally(ir::channel_axis(quantized_, index, seen_at(node))), {}, {}};
    const auto* fake = node.as<ir::FakeQuantize>();
    if (fake != nullptr) site.own.emplace(table_, fake->quantizer);
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer != nullptr && layer->weight_quantizer != ir::kNoQuantizer) add_weight(site, *layer);
    sites_.push_back(std::move(site));
  }

  void add_weight(Site& site, const ir::Weighted& layer) const {
    const at::Tensor before = ir::weighted(site.exact->op)->weight.value.to(at::kCPU).contiguous();
    const at::Tensor after =
        quant::fake_quantize_weight(layer.weight.value, table_, layer.weight_quantizer)
            .to(at::kCPU);
    site.own.emplace(table_, layer.weight_quantizer);
    site.own->add(before, after);
    site.weight.emplace(ir::output_channel_axis(site.exact->op));
    site.weight->add(before, after);
  }

  ir::Graph quantized_;
  const quant::QuantizerTable& table_;
  std::vector<Site> sites_;
};

}  // namespace

std::vector<NodeNoise> measure_node_noise(const ir::Graph& exact, const QuantizedNetwork& quantized,
                                          const runtime::Execution& execution,
                                          const NextImages& next_images) {
  const c10::InferenceMode no_gradients;
  Measurement measurement(exact, quantized);
  const std::vector<ir::ValueId> seen = measurement.seen();
  ProbedNetwork in_float(exact, seen, runtime::Numerics::kFloat, execution);
  ProbedNetwork in_codes(quantized, seen, runtime::Numerics::kQuantized, execution);
  int64_t count = 0;
  while (const std::optional<at::Tensor> images = next_images()) {
    count += images->size(0);
    for (int64_t i = 0; i < images->size(0); ++i) {
      const at::Tensor image = images->narrow(0, i, 1);
      measurement.add(in_float.run(image), in_codes.run(image));
    }
  }
  if (count == 0) throw DataError("there are no images to measure noise on");
  return measurement.results();
}

std::vector<NodeNoise> worst_first(std::vector<NodeNoise> nodes) {
  std::stable_sort(nodes.begin(), nodes.end(), [](const NodeNoise& a, const NodeNoise& b) {
    return a.median_channel_sqnr < b.median_channel_sqnr;
  });
  return nodes;
}

}  // namespace ptq::eval
