#pragma once

#include <string>
#include <string_view>

#include "ptq/cli/settings.h"

/// Which options a stage of a run depends on: runs that agree in them may share what it made.
namespace ptq::cli {

/// The stages of a run in the order in which options come in. What a stage makes depends on the
/// options of its level and of all before it, and on no other.
///
/// - kModel: the imported graph; the float network's answers.
/// - kPreparation: the graph after the passes of the preparation.
/// - kCalibrationImages: the graph after equalization of activations.
/// - kActivations: scales and zero points of activations; mean inputs of layers.
/// - kQuantized: the quantized network and its answers.
/// - kNothing: what only changes speed, or what is written where.
enum class Level { kModel, kPreparation, kCalibrationImages, kActivations, kQuantized, kNothing };

/// The first stage that the option can change. kModel, which shares nothing, for any option that is
/// not known to come in later.
Level level_of(std::string_view option);

/// The options up to a level with their values: equal for settings that may share that stage.
std::string key_up_to(Level level, const Settings& settings);

}  // namespace ptq::cli
