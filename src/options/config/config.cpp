#include "options/config/config.h"

#include <ATen/Context.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/memory.h"
#include "base/threads.h"
#include "options/config/bit_settings.h"
#include "options/config/quantize_settings.h"
#include "options/flag_names.h"
#include "options/run_name.h"
#include "ptq/base/error.h"
#include "quant/load_quantizers.h"

namespace ptq::options {
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
    throw ConfigError("--model and --model-dir cannot be combined");
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
    recipe.interpolation = settings.choice<data::Interpolation>("interpolation");
  }
  with_flags([&] { data::check_recipe(recipe); });
  return recipe;
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
    throw ConfigError(flag + " needs --no-compile: the optimised plan runs only on the CPU");
  }
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

void check_graph_file(const Outputs& files) {
  if (!files.graph) return;
  const std::string end = fs::path(*files.graph).extension().string();
  if (end == ".svg" || end == ".dot") return;
  throw ConfigError("--dump-graph: " + *files.graph + " must end in .svg or .dot");
}

Outputs outputs(const Settings& settings) {
  Outputs files{settings.text_or_none("report"),
                settings.text_or_none("dump-quantizers"),
                settings.text_or_none("dump-logits"),
                settings.text_or_none("dump-float-logits"),
                settings.text_or_none("save-predictions"),
                settings.text_or_none("junit"),
                settings.text_or_none("page"),
                settings.integer("page-images"),
                settings.text_or_none("dump-graph"),
                settings.text_or_none("sensitivity"),
                settings.text_or_none("save-layer-bits"),
                settings.text_or_none("save-pareto")};
  check_graph_file(files);
  std::set<std::string> names;
  for (const std::string& file : files.files()) {
    if (!names.insert(fs::path(file).lexically_normal().string()).second) {
      throw ConfigError("two outputs cannot share one file, " + file);
    }
  }
  const auto baseline = settings.text_or_none("baseline");
  if (baseline && names.count(fs::path(*baseline).lexically_normal().string()) > 0) {
    throw ConfigError("--baseline " + *baseline + " would be overwritten by an output");
  }
  if (files.float_logits && settings.is_on("skip-float")) {
    throw ConfigError(
        "--dump-float-logits needs the float evaluation, which --skip-float leaves out");
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

GateConfig gate_config(const Settings& settings) {
  GateConfig gate;
  gate.baseline = settings.text_or_none("baseline");
  gate.rule.max_drop = settings.number("max-drop") / 100;
  gate.rule.confidence = settings.number("confidence") / 100;
  gate.strict = settings.is_on("strict");
  return gate;
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

/// Two runs that are compared must both be run.
std::optional<std::string> cache_folder(const Settings& settings) {
  if (settings.is_on("verify-determinism")) return std::nullopt;
  if (!settings.is_none("cache")) return settings.text("cache");
  const char* variable = std::getenv("PTQ_CACHE");
  if (variable == nullptr || *variable == '\0') return std::nullopt;
  return variable;
}

/// Node by node there is float arithmetic alone.
runtime::Arithmetic arithmetic(const Settings& settings) {
  const auto wanted = settings.choice<runtime::Arithmetic>("arithmetic");
  if (settings.is_on("compile")) return wanted;
  if (wanted == runtime::Arithmetic::kInteger && settings.given("arithmetic")) {
    throw ConfigError("--arithmetic integer needs the optimised plan: leave out --no-compile");
  }
  return runtime::Arithmetic::kFloat;
}

runtime::Execution execution(const Settings& settings) {
  runtime::Execution execution;
  execution.threads = settings.is_none("threads") ? available_cores()
                                                  : static_cast<int>(settings.integer("threads"));
  execution.compile = settings.is_on("compile");
  execution.arithmetic = arithmetic(settings);
  execution.device = device(settings);
  execution.dtype = settings.choice<at::ScalarType>("dtype");
  execution.activation_memory = activation_memory(settings);
  return execution;
}

}  // namespace

std::vector<std::string> Outputs::files() const {
  std::vector<std::string> all;
  for (const auto& file : {report, quantizers, logits, float_logits, predictions, junit, page,
                           graph, sensitivity, layer_bits, pareto}) {
    if (file) all.push_back(*file);
  }
  return all;
}

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
  config.calibration_sampling = settings.choice<data::CalibrationSampling>("calibration-sampling");
  if (!settings.is_none("repeat-calibration")) {
    config.calibration_draws = settings.integer("repeat-calibration");
  }
  if (!settings.is_none("validation-samples")) {
    config.validation_samples = settings.integer("validation-samples");
  }
  config.validation_skip = settings.integer("validation-skip");
  config.batch_size_calibration = settings.integer("batch-size-calibration");
  config.batch_size_validation = settings.integer("batch-size-validation");
  config.label_offset = settings.integer("label-offset");
  config.workers = static_cast<int>(settings.integer("workers"));
  config.unreadable = settings.is_on("skip-unreadable") ? data::UnreadableImages::kSkip
                                                        : data::UnreadableImages::kError;
  config.image_memory_bytes = bytes_of_gib(settings.number("image-memory"));
  config.cache = cache_folder(settings);
  config.cache_bytes = bytes_of_gib(settings.number("cache-size"));
  config.quantize = quantize_config(settings);
  config.bits = bits_config(settings);
  // What is wrong with the file itself is said before any work.
  const std::string& quantizers = config.quantize.quantizers_file;
  if (!quantizers.empty()) quant::check_quantizer_dump(quantizers);
  config.explain = settings.is_on("explain");
  config.attribute = settings.is_on("attribute");
  config.node_sqnr_images = settings.integer("node-sqnr");
  config.execution = execution(settings);
  config.skip_float = settings.is_on("skip-float");
  config.gate = gate_config(settings);
  config.outputs = outputs(settings);
  config.exports = exports(settings, config);
  return config;
}

}  // namespace ptq::options
