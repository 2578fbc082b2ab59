#include "options/presets.h"

#include <string>

namespace ptq::options {
namespace {

struct Row {
  std::string_view option, fast, paper;
};

/// `paper` has QDrop's steps, images and rates; its 4e-5 for scales is about 1e-4 of a scale.
constexpr Row kLearnedRound[] = {{"learned-round", "hard_sigmoid_round", "hard_sigmoid_round"},
                                 {"learned-round-mode", "blockwise", "blockwise"},
                                 {"learned-round-block-name", "None", "None"},
                                 {"learned-round-iters", "300", "20000"},
                                 {"learned-round-batch-size", "8", "32"},
                                 {"learned-round-lr", "0.03", "0.001"},
                                 {"learned-round-lr-scheduler", "None", "None"},
                                 {"learned-round-act-lr", "0.01", "0.0001"},
                                 {"drop-activations", "0.5", "0.5"},
                                 {"bias-corr", "off", "off"}};

Preset learned_round_preset(LearnedRoundPreset which) {
  Preset preset;
  for (const Row& row : kLearnedRound) {
    preset.emplace_back(row.option, which == LearnedRoundPreset::kFast ? row.fast : row.paper);
  }
  return preset;
}

bool has_presets(const Option& option) { return option.choice_type == typeid(LearnedRoundPreset); }

}  // namespace

std::vector<std::string_view> options_of_presets(const Option& option) {
  std::vector<std::string_view> names;
  if (!has_presets(option)) return names;
  for (const Row& row : kLearnedRound) names.push_back(row.option);
  return names;
}

Preset preset(const Option& option, const Value& word) {
  if (!has_presets(option)) return {};
  const std::string text = to_text(word);
  for (size_t i = 0; i < option.choices.size(); ++i) {
    if (option.choices[i] != text) continue;
    return learned_round_preset(static_cast<LearnedRoundPreset>(option.meanings[i]));
  }
  return {};
}

}  // namespace ptq::options
