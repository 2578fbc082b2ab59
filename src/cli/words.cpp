#include "cli/words.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace ptq::cli {
namespace {

/// The options that the reference's line names, in its order.
std::vector<const options::Option*> labelled_options() {
  std::vector<const options::Option*> labelled;
  for (const options::Option& option : options::option_table()) {
    if (!option.label.empty()) labelled.push_back(&option);
  }
  std::sort(labelled.begin(), labelled.end(),
            [](const options::Option* one, const options::Option* other) {
              return one->label_place < other->label_place;
            });
  return labelled;
}

std::string colours(const std::array<float, 3>& values) {
  std::string line;
  for (const float value : values) line += (line.empty() ? "" : " ") + fixed(value, 3);
  return line;
}

}  // namespace

std::string configuration_line(const options::Settings& settings, const options::Config& config) {
  std::string line = "Model: " + config.model_name;
  for (const options::Option* option : labelled_options()) {
    line +=
        " - " + std::string(option->label) + ": " + options::to_text(settings.value(option->name));
  }
  return line;
}

std::vector<std::string> plan_lines(const options::Config& config) {
  const data::Recipe& recipe = config.recipe;
  const bool bicubic = recipe.interpolation == data::Interpolation::kBicubic;
  return {"model       " + config.model_file,
          "calibration " + config.calibration_dir + ", batches of " +
              std::to_string(config.batch_size_calibration),
          "validation  " + config.validation_dir + ", batches of " +
              std::to_string(config.batch_size_validation),
          "images      resize " + std::to_string(recipe.resize) +
              (bicubic ? " bicubic" : " bilinear") + ", crop " + std::to_string(recipe.crop) +
              ", mean " + colours(recipe.mean) + ", std " + colours(recipe.std),
          std::string("running     ") +
              (config.execution.compile ? "optimised plan" : "node by node") + ", " +
              std::string(runtime::word(config.execution.arithmetic)) + " arithmetic, " +
              std::to_string(config.execution.threads) + " threads, " +
              std::to_string(config.workers) + " decoding workers, device " +
              config.execution.device.str() + ", seed " + std::to_string(config.quantize.seed)};
}

}  // namespace ptq::cli
