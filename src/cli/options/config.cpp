#include "ptq/cli/config.h"

#include <ATen/Context.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "cli/gate/gating.h"
#include "cli/options/learned_round_settings.h"
#include "cli/options/placement_options.h"
#include "cli/options/run_name.h"
#include "ptq/base/error.h"
#include "ptq/base/memory.h"
#include "ptq/base/threads.h"

namespace ptq::cli {
namespace {

namespace fs = std::filesystem;

std::string required_folder(const Settings& settings, const std::string& name) {
  if (settings.is_none(name)) throw ConfigError("--" + name + " is required");
  return settings.text(name);
}

std::string models_in(const std::string& folder) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".pt") names.insert(entry.path().stem().string());
  }
  std::string line;
  for (const std::string& name : names) line += (line.empty() ? "" : ", ") + name;
  return line.empty() ? "no .pt file at all" : line;
}

std::string model_by_name(const std::string& folder, const std::string& name) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw ConfigError("--model-dir: " + folder + " is not a folder");
  }
  const std::string file = (fs::path(folder) / (name + ".pt")).string();
  if (fs::exists(file, ignored)) return file;
  throw ConfigError("--model-name " + name + ": there is no " + name + ".pt in " + folder +
                    ", which holds " + models_in(folder));
}

std::string model_file(const Settings& settings) {
  const std::string& name = settings.text("model-name");
  if (!settings.is_none("model") && !settings.is_none("model-dir")) {
    throw ConfigError("--model and --model-dir exclude each other");
  }
  if (!settings.is_none("model")) return settings.text("model");
  if (!settings.is_none("model-dir")) return model_by_name(settings.text("model-dir"), name);
  throw ConfigError("--model FILE.pt is required, or --model-dir DIR with " + name + ".pt in it");
}

/// The name that says the recipe: the one given, or what the file is called.
std::string recipe_name(const Settings& settings, const std::string& file) {
  if (settings.given("model-name") || settings.is_none("model")) {
    return settings.text("model-name");
  }
  return fs::path(file).stem().string();
}

void override_colours(const Settings& settings, const char* name, std::array<float, 3>& colours) {
  if (settings.is_none(name)) return;
  const std::vector<double>& values = settings.numbers(name);
  std::transform(values.begin(), values.end(), colours.begin(),
                 [](double value) { return static_cast<float>(value); });
}

data::Recipe recipe(const Settings& settings, const std::string& name) {
  data::Recipe recipe = data::recipe_for(name);
  if (!settings.is_none("resize")) recipe.resize = settings.integer("resize");
  if (!settings.is_none("crop")) recipe.crop = settings.integer("crop");
  override_colours(settings, "mean", recipe.mean);
  override_colours(settings, "std", recipe.std);
  if (!settings.is_none("interpolation")) {
    recipe.interpolation = settings.text("interpolation") == "bicubic"
                               ? data::Interpolation::kBicubic
                               : data::Interpolation::kBilinear;
  }
  data::check_recipe(recipe);
  return recipe;
}

data::CalibrationSampling sampling(const std::string& word) {
  if (word == "first") return data::CalibrationSampling::kFirst;
  if (word == "random") return data::CalibrationSampling::kRandom;
  return data::CalibrationSampling::kStratified;
}

at::Device device(const Settings& settings) {
  if (settings.is_none("gpu")) return at::kCPU;
  const int64_t index = settings.integer("gpu");
  const std::string flag = "--gpu " + std::to_string(index);
  if (!at::hasCUDA()) {
    throw ConfigError(flag + ": this LibTorch is built without CUDA, or finds no CUDA device");
  }
  const auto devices = static_cast<int64_t>(at::getNumGPUs());
  if (index >= devices) {
    throw ConfigError(flag + ": there are " + std::to_string(devices) + " CUDA devices");
  }
  if (settings.is_on("compile")) {
    throw ConfigError(flag + " needs --no-compile: the optimised plan runs on the CPU alone");
  }
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

at::ScalarType dtype(const Settings& settings) {
  const std::string& word = settings.text("dtype");
  if (word == "bfloat16") return at::kBFloat16;
  return word == "float16" ? at::kHalf : at::kFloat;
}

Outputs outputs(const Settings& settings) {
  Outputs files{
      settings.text_or_none("report"),           settings.text_or_none("dump-quantizers"),
      settings.text_or_none("dump-logits"),      settings.text_or_none("dump-float-logits"),
      settings.text_or_none("save-predictions"), settings.text_or_none("junit")};
  std::set<std::string> names;
  for (const auto& file : {files.report, files.quantizers, files.logits, files.float_logits,
                           files.predictions, files.junit}) {
    if (file && !names.insert(fs::path(*file).lexically_normal().string()).second) {
      throw ConfigError("two outputs cannot go to one file, " + *file);
    }
  }
  const auto baseline = settings.text_or_none("baseline");
  if (baseline && names.count(fs::path(*baseline).lexically_normal().string()) > 0) {
    throw ConfigError("--baseline " + *baseline + " would be overwritten by an output");
  }
  if (files.float_logits && settings.is_on("skip-float")) {
    throw ConfigError("--dump-float-logits needs what --skip-float leaves out");
  }
  return files;
}

/// Both exports of a run are called as the run (reference-contract 1.4).
Exports exports(const Settings& settings, const Config& config) {
  const std::string stem =
      (fs::path(settings.text("export-dir")) / run_name(settings, config)).string();
  Exports exports;
  if (settings.is_on("export-onnx-qcdq")) exports.onnx = stem + ".onnx";
  if (settings.is_on("export-torch-qcdq")) exports.torchscript = stem + ".pt";
  if (!settings.is_none("onnx-opset-version")) {
    exports.options.opset = static_cast<int>(settings.integer("onnx-opset-version"));
  }
  exports.options.int4_weights = settings.is_on("onnx-int4-weights");
  exports.options.image_size = config.recipe.crop;
  if (!settings.is_none("check-export")) exports.checked_images = settings.integer("check-export");
  return exports;
}

/// flexml merges batch norms unless they are calibrated (reference-contract 4.2).
void set_techniques(const Settings& settings, Config& config) {
  const bool is_flexml = config.backend == backends::Backend::kFlexml;
  config.calibrate_batch_norms = settings.is_on("calibrate-bn");
  passes::PreparationOptions& preparation = config.preparation;
  preparation.merge_batch_norm =
      is_flexml ? !config.calibrate_batch_norms : settings.is_on("merge-bn");
  preparation.preparation =
      is_flexml ? passes::Preparation::kFlexml : passes::Preparation::kDefault;
  preparation.equalization.iterations = static_cast<int>(settings.integer("graph-eq-iterations"));
  preparation.equalization.merge_bias =
      settings.is_on("graph-eq-merge-bias") ? passes::MergeBias::kYes : passes::MergeBias::kNo;
  preparation.splitting.ratio = settings.number("channel-splitting-ratio");
  preparation.splitting.side = settings.is_on("channel-splitting-split-input")
                                   ? passes::Side::kInput
                                   : passes::Side::kOutput;
  if (!settings.is_none("act-equalization")) {
    passes::ActivationEqualizationOptions equalization;
    equalization.mode = settings.text("act-equalization") == "layerwise"
                            ? passes::ActivationEqualization::kLayerwise
                            : passes::ActivationEqualization::kGraph;
    equalization.alpha = settings.number("act-equalization-alpha");
    config.activation_equalization = equalization;
  }
  config.correct_biases = settings.is_on("bias-corr");
  config.explain = settings.is_on("explain");
  config.attribute = settings.is_on("attribute");
  config.node_sqnr_images = settings.integer("node-sqnr");
}

int64_t bytes_of_gib(double gib) {
  constexpr double kGib = 1024.0 * 1024.0 * 1024.0;
  constexpr double kMostGib = 1024.0 * 1024.0;
  return static_cast<int64_t>(std::min(gib, kMostGib) * kGib);
}

/// A quarter of the memory where nothing was said.
int64_t activation_memory(const Settings& settings) {
  if (settings.is_none("activation-memory")) return available_memory_bytes() / 4;
  return bytes_of_gib(settings.number("activation-memory"));
}

std::optional<passes::AccumulatorOptions> accumulator(const Settings& settings) {
  if (settings.is_none("gpxq-accumulator-bit-width")) return std::nullopt;
  passes::AccumulatorOptions options;
  options.bit_width = static_cast<int>(settings.integer("gpxq-accumulator-bit-width"));
  if (!settings.is_none("gpxq-accumulator-tile-size")) {
    options.tile_size = settings.integer("gpxq-accumulator-tile-size");
  }
  return options;
}

void set_rounding(const Settings& settings, Config& config) {
  const std::pair<const char*, passes::RoundingTechnique> techniques[] = {
      {"gpfq", passes::RoundingTechnique::kGpfq},
      {"gptq", passes::RoundingTechnique::kGptq},
      {"qronos", passes::RoundingTechnique::kQronos}};
  for (const auto& [flag, technique] : techniques) {
    if (!settings.is_on(flag)) continue;
    passes::RoundingOptions options;
    options.technique = technique;
    options.act_order = settings.is_on("gpxq-act-order");
    options.quantize_activations = settings.is_on("gptq-use-quant-activations");
    if (technique == passes::RoundingTechnique::kGpfq) {
      options.input_fraction = settings.number("gpfq-p");
    }
    options.qronos_damping = settings.number("qronos-damping");
    options.accumulator = accumulator(settings);
    options.threads = config.threads;
    options.memory_bytes = config.activation_memory_bytes;
    config.rounding.push_back(std::move(options));
  }
  config.keep_original_weights = !settings.is_on("disable-create-weight-orig");
}

}  // namespace

Config make_config(const Settings& settings) {
  Config config;
  config.calibration_dir = required_folder(settings, "calibration-dir");
  config.validation_dir = required_folder(settings, "validation-dir");
  config.model_file = model_file(settings);
  if (settings.is_on("trust-model")) config.trust = import::ModelTrust::kTrust;
  config.model_name = recipe_name(settings, config.model_file);
  config.recipe = recipe(settings, config.model_name);
  config.calibration_samples = settings.integer("calibration-samples");
  config.calibration_samples_given = settings.given("calibration-samples");
  config.calibration_sampling = sampling(settings.text("calibration-sampling"));
  if (!settings.is_none("repeat-calibration")) {
    config.calibration_draws = settings.integer("repeat-calibration");
  }
  if (!settings.is_none("validation-samples")) {
    config.validation_samples = settings.integer("validation-samples");
  }
  config.batch_size_calibration = settings.integer("batch-size-calibration");
  config.batch_size_validation = settings.integer("batch-size-validation");
  config.workers = static_cast<int>(settings.integer("workers"));
  config.unreadable = settings.is_on("skip-unreadable") ? data::UnreadableImages::kSkip
                                                        : data::UnreadableImages::kError;
  config.image_memory_bytes = bytes_of_gib(settings.number("image-memory"));
  config.backend = backend_of(settings);
  config.placement = placement_options(settings);
  set_techniques(settings, config);
  config.learned_round = learned_round_options(settings);
  config.percentile = settings.number("act-quant-percentile");
  config.compile = settings.is_on("compile");
  config.threads = settings.is_none("threads") ? available_cores()
                                               : static_cast<int>(settings.integer("threads"));
  config.activation_memory_bytes = activation_memory(settings);
  set_rounding(settings, config);
  config.device = device(settings);
  config.dtype = dtype(settings);
  config.seed = static_cast<uint64_t>(settings.integer("seed"));
  config.skip_float = settings.is_on("skip-float");
  config.gate = gate_config(settings);
  config.outputs = outputs(settings);
  config.exports = exports(settings, config);
  return config;
}

}  // namespace ptq::cli
