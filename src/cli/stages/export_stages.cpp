#include "cli/stages/export_stages.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "export/export.h"
#include "options/run_name.h"
#include "options/settings_json.h"
#include "parity/check_exports.h"
#include "parity/export_words.h"

namespace ptq::cli {
namespace {

/// Without what changes no byte of the file otherwise: how the work was shared out, and where the
/// run wrote to.
std::string configuration_of_file(const options::Settings& settings) {
  nlohmann::json configuration = options::config_json(settings);
  for (const char* key : {"threads",
                          "workers",
                          "batch_size_validation",
                          "image_memory",
                          "activation_memory",
                          "export_dir",
                          "report",
                          "dump_logits",
                          "dump_float_logits",
                          "dump_quantizers",
                          "junit",
                          "save_predictions",
                          "baseline",
                          "strict",
                          "attribute",
                          "audit_calibration",
                          "node_sqnr",
                          "check_export",
                          "repeat_calibration",
                          "verify_determinism",
                          "explain"}) {
    configuration.erase(key);
  }
  return configuration.dump();
}

namespace fs = std::filesystem;
using exporting::Format;

struct Wanted {
  Format format;
  std::string name;
  std::string path;
};

std::vector<Wanted> wanted(const options::Exports& exports) {
  std::vector<Wanted> files;
  if (exports.onnx) files.push_back({Format::kOnnx, "ONNX", *exports.onnx});
  if (exports.torchscript) {
    files.push_back({Format::kTorchScript, "TorchScript", *exports.torchscript});
  }
  return files;
}

/// Large ONNX files keep their weights beside them.
std::string data_of(const std::string& path) { return path + ".data"; }

int64_t bytes_of(const std::string& path) {
  std::error_code ignored;
  const auto whole = static_cast<int64_t>(fs::file_size(path));
  const auto data = fs::file_size(data_of(path), ignored);
  return ignored ? whole : whole + static_cast<int64_t>(data);
}

exporting::ExportOptions options_of(const Run& run) {
  exporting::ExportOptions options = run.config.exports.options;
  options.metadata = {{"producer", "ptq-eval " + options::program_version()},
                      {"run_name", options::run_name(run.settings, run.config)},
                      {"configuration", configuration_of_file(run.settings)}};
  return options;
}

/// All files or none: what a failed run wrote is gone.
void write_files(Run& run, const QuantizedNetwork& network, parity::ExportReport& report) {
  const exporting::ExportOptions options = options_of(run);
  try {
    for (const Wanted& file : wanted(run.config.exports)) {
      timed(run.log, "export " + file.name,
            [&] { exporting::write(network, file.format, options, file.path); });
      report.files.push_back({file.name, file.path, bytes_of(file.path), {}});
    }
  } catch (...) {
    std::error_code ignored;
    for (const parity::ExportedFile& file : report.files) {
      fs::remove(file.path, ignored);
      fs::remove(data_of(file.path), ignored);
    }
    throw;
  }
}

parity::CheckOptions check_options(const options::Config& config) {
  return {config.exports.checked_images, config.batch_size_validation, config.recipe,
          config.execution};
}

}  // namespace

void check_exportable(Run& run, const ir::Graph& imported) {
  const options::Config& config = run.config;
  if (!config.exports.any()) return;
  const QuantizedNetwork network = workflow::placed_network(imported, config.quantize);
  for (const Wanted& file : wanted(config.exports)) {
    exporting::check_exportable(network, file.format, config.exports.options);
  }
}

void export_network(Run& run, const QuantizedNetwork& network, ImageSets& images) {
  if (!run.config.exports.any()) return;
  parity::ExportReport report;
  write_files(run, network, report);
  report.truth = exporting::truth_of(network);
  for (const std::string& line : parity::export_lines(report)) run.log.line(line);
  if (run.config.explain) {
    for (const std::string& line : parity::layer_lines(report.truth)) run.log.line(line);
  }
  if (run.config.exports.checked_images > 0) {
    parity::check_exports(network, images.validation().loader(), check_options(run.config), report,
                          run.log);
  }
  run.result.exports = std::move(report);
}

}  // namespace ptq::cli
