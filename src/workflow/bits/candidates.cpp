#include "workflow/bits/candidates.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ptq/base/invalid_option.h"

namespace ptq::workflow {
namespace {

using quant::QuantizerKind;
using Tables = std::map<int, std::shared_ptr<const quant::QuantizerTable>>;

QuantizeConfig with_weights(QuantizeConfig config, int bits) {
  config.weights.bit_width = config.first_last.bit_width = bits;
  return config;
}

QuantizeConfig with_activations(QuantizeConfig config, int bits) {
  config.activations->bit_width = config.first_last.bit_width = bits;
  return config;
}

/// Quantizations of one network that share their stages.
class Calibrations {
 public:
  Calibrations(const ir::Graph& imported, const data::ImageSet& images, const Context& context)
      : imported_(imported),
        images_(images),
        context_(context),
        progress_(context.log),
        log_(progress_),
        session_(Session::Runs::kMany) {}

  void announce(const std::vector<QuantizeConfig>& configs) {
    std::vector<Announced> all;
    for (const QuantizeConfig& config : configs) all.push_back({kSource, config});
    session_.announce(std::move(all));
  }

  QuantizedNetwork run(const QuantizeConfig& config) {
    Context own{context_.execution, log_, session_, kSource};
    own.network_name = context_.network_name;
    own.until = Until::kCalibrated;
    return quantize(imported_, config, images_, own).network;
  }

 private:
  inline static const Source kSource{"the network", "the images"};

  const ir::Graph& imported_;
  const std::optional<data::ImageSet> images_;
  const Context& context_;
  ProgressOnly progress_;
  RecordingLog log_;
  Session session_;
};

void check(const QuantizeConfig& config, const CandidateBits& candidates) {
  if (!config.hand_defined.empty()) {
    throw InvalidOption("candidate_bits",
                        "a network defined by hand has the bits of its definition");
  }
  if (config.numbers != NumberKind::kInteger) {
    throw InvalidOption("candidate_bits", "minifloats have the bits of their format");
  }
  if (!config.quantizers_file.empty()) {
    throw InvalidOption("candidate_bits", "a file of quantizers has scales for its own bits alone");
  }
  for (const auto& widths : {candidates.weights, candidates.activations}) {
    for (const int bits : widths) {
      if (bits < 2 || bits > 16) throw InvalidOption("candidate_bits", "must lie between 2 and 16");
    }
  }
}

/// Widths that all quantizers of the group have in the table of that width: some places have a
/// width of their own, whatever is asked for.
std::vector<int> possible_bits(const passes::BitGroup& group, const Tables& tables) {
  std::vector<int> possible;
  for (const auto& [bits, table] : tables) {
    const bool all = std::all_of(group.quantizers.begin(), group.quantizers.end(),
                                 [&, width = bits, &at = *table](int id) {
                                   return quant::bit_width(at.at(id).format) == width;
                                 });
    if (all) possible.push_back(bits);
  }
  return possible;
}

}  // namespace

runtime::QuantizerVariant BitCandidates::variant(size_t group, int bits) const {
  const passes::BitGroup& chosen = groups.at(group).group;
  const Tables& tables = chosen.kind == QuantizerKind::kWeight ? weights : activations;
  return {chosen.quantizers, tables.at(bits)};
}

BitCandidates bit_candidates(const ir::Graph& imported, const QuantizeConfig& config,
                             const CandidateBits& candidates, const data::ImageSet& images,
                             const Context& context) {
  check(config, candidates);
  QuantizeConfig plain = config;
  plain.layer_bits.clear();
  const std::set<int> weights(candidates.weights.begin(), candidates.weights.end());
  std::set<int> activations;
  if (config.activations) {
    activations.insert(candidates.activations.begin(), candidates.activations.end());
  }
  std::vector<QuantizeConfig> configs = {plain};
  for (const int bits : weights) configs.push_back(with_weights(plain, bits));
  for (const int bits : activations) configs.push_back(with_activations(plain, bits));
  Calibrations calibrations(imported, images, context);
  calibrations.announce(configs);
  BitCandidates made;
  made.network = calibrations.run(plain);
  const auto table = [&](const QuantizeConfig& at_width) {
    return std::make_shared<const quant::QuantizerTable>(calibrations.run(at_width).table);
  };
  for (const int bits : weights) made.weights[bits] = table(with_weights(plain, bits));
  for (const int bits : activations) made.activations[bits] = table(with_activations(plain, bits));
  for (passes::BitGroup& group : passes::bit_groups(made.network)) {
    const Tables& tables = group.kind == QuantizerKind::kWeight ? made.weights : made.activations;
    std::vector<int> bits = possible_bits(group, tables);
    if (!bits.empty()) made.groups.push_back({std::move(group), std::move(bits)});
  }
  if (made.groups.empty()) {
    throw InvalidOption("candidate_bits",
                        context.network_name + " has no quantizer that could have them");
  }
  return made;
}

}  // namespace ptq::workflow
