#pragma once

#include <functional>
#include <optional>

#include "ptq/data/image_set.h"
#include "workflow/quantization.h"
#include "workflow/shared_stages.h"

/// What calibration found in an earlier process, in the session's cache: known by the contents that
/// it follows from (Context::contents) and by its part of the configuration. Without a cache or
/// contents nothing is found or kept.
namespace ptq::workflow {

std::optional<CalibratedActivations> kept_scales(const QuantizeConfig& config,
                                                 const data::ImageSet& images,
                                                 const Context& context);
/// After a pass over the images.
void keep_scales(const CalibratedActivations& made, const QuantizeConfig& config,
                 const data::ImageSet& images, const Context& context);

std::optional<passes::LayerInputMeans> kept_means(const QuantizeConfig& config,
                                                  const data::ImageSet& images,
                                                  const Context& context);
/// After a pass over the images.
void keep_means(const passes::LayerInputMeans& made, const QuantizeConfig& config,
                const data::ImageSet& images, const Context& context);

/// Logits of the float network `graph` for the images of function checks, which `run` computes
/// where they were not kept.
at::Tensor check_logits(const ir::Graph& graph, const Context& context,
                        const std::function<at::Tensor()>& run);

}  // namespace ptq::workflow
