#include "options/presets.h"

#include <string>

#include "ptq/base/error.h"

namespace ptq::options {
namespace {

/// Both name the same options.
Preset learned_round_preset(LearnedRoundPreset which) {
  switch (which) {
    case LearnedRoundPreset::kFast:
      return {{"learned-round", "hard_sigmoid_round"},
              {"learned-round-mode", "blockwise"},
              {"learned-round-block-name", "None"},
              {"learned-round-iters", "300"},
              {"learned-round-batch-size", "8"},
              {"learned-round-lr", "0.03"},
              {"learned-round-lr-scheduler", "None"},
              {"learned-round-act-lr", "0.01"},
              {"drop-activations", "0.5"},
              {"bias-corr", "off"}};
    case LearnedRoundPreset::kPaper:
      // QDrop's steps, images and rates; its 4e-5 for scales is about 1e-4 of a scale.
      return {{"learned-round", "hard_sigmoid_round"},
              {"learned-round-mode", "blockwise"},
              {"learned-round-block-name", "None"},
              {"learned-round-iters", "20000"},
              {"learned-round-batch-size", "32"},
              {"learned-round-lr", "0.001"},
              {"learned-round-lr-scheduler", "None"},
              {"learned-round-act-lr", "0.0001"},
              {"drop-activations", "0.5"},
              {"bias-corr", "off"}};
  }
  throw InternalError("a preset of learned rounding has no values");
}

}  // namespace

std::vector<std::string_view> options_of_presets(const Option& option) {
  std::vector<std::string_view> names;
  for (const std::string_view word : option.choices) {
    for (const auto& [name, value] : preset(option, std::string(word))) names.push_back(name);
  }
  return names;
}

Preset preset(const Option& option, const Value& word) {
  if (option.choice_type != typeid(LearnedRoundPreset)) return {};
  const std::string text = to_text(word);
  for (size_t i = 0; i < option.choices.size(); ++i) {
    if (option.choices[i] != text) continue;
    return learned_round_preset(static_cast<LearnedRoundPreset>(option.meanings[i]));
  }
  return {};
}

}  // namespace ptq::options
