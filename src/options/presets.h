#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "options/option.h"

namespace ptq::options {

/// Block reconstruction in minutes, or as the papers do it.
enum class LearnedRoundPreset { kFast, kPaper };

/// Options and the values that a word stands for, as on the command line.
using Preset = std::vector<std::pair<std::string_view, std::string_view>>;

/// The options whose values follow from words of `option`; empty for most.
std::vector<std::string_view> options_of_presets(const Option& option);

/// What a word of the option stands for; empty for None.
Preset preset(const Option& option, const Value& word);

}  // namespace ptq::options
