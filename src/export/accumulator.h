#pragma once

#include <optional>

#include "export/truth.h"

namespace ptq::exporting {

/// The accumulator of a layer; nothing unless it multiplies integers with integers.
std::optional<LayerBits> accumulator_of(const ir::Index& index, const ir::Node& layer,
                                        const quant::QuantizerTable& table);

}  // namespace ptq::exporting
