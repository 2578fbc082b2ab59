#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ptq/passes/calibrate.h"
#include "workflow/function_watch.h"
#include "workflow/quantization.h"
#include "workflow/shared_stages.h"

/// The stages of a quantization: each takes what it needs and returns what it made. Each says what
/// it did, and warns where it was asked for and found nothing.
namespace ptq::workflow {

passes::PreparationOptions preparation_options(const QuantizeConfig& config);
/// Equalization passes through clamps where weights share a scale.
passes::Clamps clamps_of(const QuantizeConfig& config);

/// Side of the square images.
int64_t image_size(const ir::Graph& graph);

/// The network that the configuration names, with the weights of the imported one, if it is one of
/// those defined by hand.
std::optional<QuantizedNetwork> defined_by_hand(const ir::Graph& imported,
                                                const QuantizeConfig& config);

PreparedGraph prepare(const ir::Graph& imported, const QuantizeConfig& config,
                      const std::optional<Relu6Choice>& relu6, FunctionWatch& watch,
                      const Context& context);

/// The graph as it is where nobody asked.
EqualizedGraph equalize_activations(ir::Graph graph, const QuantizeConfig& config,
                                    const std::optional<data::ImageSet>& images,
                                    const Context& context);

/// Scales of the activations of a placed network; together with those of the quantizations that
/// were announced to the session and can share the passes. Returns the number of images.
int64_t calibrate_activations(QuantizedNetwork& network, const QuantizeConfig& config,
                              const std::optional<data::ImageSet>& images, const Context& context);

/// `originals` gain the weights there were, for those that come later, unless GPTQ is told to keep
/// none.
RoundingReport round_weights(QuantizedNetwork& network, const Rounding::Technique& technique,
                             const QuantizeConfig& config, passes::OriginalWeights& originals,
                             const data::ImageSet& images, const Context& context);
/// "gptq", "gpfq", "qronos".
std::string name_of(const Rounding::Technique& technique);

/// Whether biases are corrected layer by layer while roundings are learned, and not afterwards.
bool corrects_while_learning(const QuantizeConfig& config);

passes::LearnedRoundReport learn_rounding(QuantizedNetwork& network, const QuantizeConfig& config,
                                          const data::ImageSet& images, const Context& context);

void calibrate_batch_norms(QuantizedNetwork& network, const data::ImageSet& images,
                           const Context& context);

/// `originals`: weights as they were before techniques rounded them.
passes::BiasCorrection correct_biases(QuantizedNetwork& network, const QuantizeConfig& config,
                                      const passes::OriginalWeights& originals,
                                      const data::ImageSet& images, const Context& context);

/// `context` for a technique that has no form on another device; says so where the rest runs there.
Context on_the_cpu(const Context& context, const std::string& technique);

/// The images from the first on, with the progress of `stage`; `done` counts them and outlives the
/// batches.
passes::NextBatch batches_of(const data::ImageSet& images, const std::string& stage,
                             const Context& context, int64_t& done);

/// `work(next_batch)` as a stage over the images.
template <class Work>
auto over_images(const data::ImageSet& images, const std::string& stage, const Context& context,
                 Work&& work) {
  int64_t done = 0;
  return timed(context.log, stage, [&] { return work(batches_of(images, stage, context, done)); });
}

}  // namespace ptq::workflow
