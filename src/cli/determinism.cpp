#include "cli/determinism.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/supervisor.h"
#include "cli/session.h"
#include "ptq/base/error.h"
#include "report/report.h"

namespace ptq::cli {
namespace {

namespace fs = std::filesystem;

/// A folder of its own, gone with the object.
class ComparedFolder {
 public:
  ComparedFolder() : path_(make()), removed_if_killed_(path_) {}
  ~ComparedFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ComparedFolder(const ComparedFolder&) = delete;
  ComparedFolder& operator=(const ComparedFolder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  static std::string make() {
    std::string name = (fs::temp_directory_path() / "ptq-verify-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw OutputError("no temporary folder can be made in " + fs::temp_directory_path().string());
    }
    return name;
  }

  std::string path_;
  TemporaryPath removed_if_killed_;
};

void set(options::Settings& settings, const char* option, options::Value value) {
  settings.set(*options::find_option(option), std::move(value), options::Source::kCommandLine);
}

/// Files of a run that are to be the same bytes.
const char* const kCompared[] = {"dump-logits", "dump-float-logits", "dump-quantizers"};

/// Tables that are, too, where they are asked for.
const char* const kTables[] = {"sensitivity", "save-layer-bits", "save-pareto"};

bool is_compared(const options::Settings& settings, const std::string& option) {
  return option != "dump-float-logits" || !settings.is_on("skip-float");
}

void write_into(options::Settings& settings, const ComparedFolder& folder) {
  for (const char* option : kCompared) {
    if (is_compared(settings, option)) set(settings, option, folder.file(option));
  }
}

/// What the user asked for, and whatever else is compared.
options::Settings first_run(options::Settings settings, const ComparedFolder& folder) {
  for (const char* option : kCompared) {
    const bool needed = is_compared(settings, option) && settings.is_none(option);
    if (needed) set(settings, option, folder.file(option));
  }
  return settings;
}

bool exports_files(const options::Settings& settings) {
  return settings.is_on("export-onnx-qcdq") || settings.is_on("export-torch-qcdq");
}

/// Whether a technique is on whose layers read stored activations.
bool keeps_activations(const options::Settings& settings) {
  return settings.is_on("gptq") || settings.is_on("gpfq") || settings.is_on("qronos") ||
         !settings.is_none("learned-round");
}

/// The same work in other portions, and no other files.
options::Settings second_run(options::Settings settings, const ComparedFolder& folder) {
  const bool one_thread = !settings.is_none("threads") && settings.integer("threads") == 1;
  set(settings, "threads", int64_t{one_thread ? 2 : 1});
  set(settings, "workers", int64_t{settings.integer("workers") == 1 ? 3 : 1});
  set(settings, "batch-size-validation",
      int64_t{settings.integer("batch-size-validation") == 7 ? 5 : 7});
  set(settings, "image-memory", 0.0);
  if (keeps_activations(settings)) set(settings, "activation-memory", 0.001);
  for (const char* option : {"report", "page", "dump-graph", "baseline", "save-predictions",
                             "junit", "check-export", "repeat-calibration"}) {
    set(settings, option, options::Value());
  }
  for (const char* option : kTables) {
    if (!settings.is_none(option)) set(settings, option, folder.file(option));
  }
  for (const char* option : {"attribute", "strict"}) {
    set(settings, option, false);
  }
  set(settings, "node-sqnr", int64_t{0});
  if (exports_files(settings)) {
    const std::string exports = folder.file("exports");
    fs::create_directory(exports);
    set(settings, "export-dir", exports);
  }
  write_into(settings, folder);
  return settings;
}

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

[[noreturn]] void refuse(const std::string& what) {
  throw InternalError("--verify-determinism: " + what +
                      " differ between two runs, which is a mistake in the program: please report "
                      "it");
}

void require_same(const fs::path& first, const fs::path& second, const std::string& what) {
  if (content(first) == content(second)) return;
  refuse(what);
}

/// What a report says was found, but for times and for what the second run does not measure.
nlohmann::json comparable_report(const RunResult& result) {
  nlohmann::json all = report::report_json({}, {}, result);
  for (const char* key : {"stages", "images_per_second", "peak_rss_mib", "attribution",
                          "node_noise", "exports", "guards", "gate", "hashes", "repeat_calibration",
                          "layers", "activations", "truth", "classes", "flips"}) {
    all.erase(key);
  }
  if (all["sensitivity"].is_object()) {
    for (const char* key : {"exact_seconds", "estimate_seconds", "evaluation_seconds"}) {
      all["sensitivity"].erase(key);
    }
  }
  for (const char* network : {"float", "quantized"}) {
    if (!all[network].is_object()) continue;
    all[network].erase("network_seconds");
    all[network].erase("waiting_seconds");
  }
  for (nlohmann::json& pass : all["passes"]) pass.erase("milliseconds");
  return all;
}

/// Whether the first run does what can warn and the second leaves out.
bool has_warnings_of_its_own(const options::Settings& first) {
  return !first.is_none("check-export") || !first.is_none("dump-graph");
}

/// Those of the first run that the second has too, in the order of the first.
std::vector<std::string> common_warnings(const RunResult& first, const RunResult& second) {
  std::vector<std::string> common;
  const auto& others = second.warnings;
  std::copy_if(first.warnings.begin(), first.warnings.end(), std::back_inserter(common),
               [&](const std::string& warning) {
                 return std::find(others.begin(), others.end(), warning) != others.end();
               });
  return common;
}

void compare_reports(const options::Settings& settings, const RunResult& first,
                     const RunResult& second) {
  nlohmann::json one = comparable_report(first);
  const nlohmann::json other = comparable_report(second);
  if (has_warnings_of_its_own(settings)) one["warnings"] = common_warnings(first, second);
  for (const auto& [key, value] : one.items()) {
    if (value.dump() != other.at(key).dump()) refuse("the entries '" + key + "' of the reports");
  }
}

void compare_files(const options::Settings& first, const options::Settings& second) {
  for (const char* option : kCompared) {
    if (!is_compared(first, option)) continue;
    require_same(first.text(option), second.text(option), "the files of --" + std::string(option));
  }
  for (const char* option : kTables) {
    if (first.is_none(option)) continue;
    require_same(first.text(option), second.text(option), "the files of --" + std::string(option));
  }
  if (!exports_files(first)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(second.text("export-dir"))) {
    const fs::path name = entry.path().filename();
    require_same(fs::path(first.text("export-dir")) / name, entry.path(),
                 "the exported files " + name.string());
  }
}

RunResult run_alone(const options::Settings& settings, Log& log) {
  Session session(settings.is_none("repeat-calibration") ? Session::Runs::kOne
                                                         : Session::Runs::kMany);
  return run(settings, session, log);
}

}  // namespace

RunResult run_and_verify(const options::Settings& settings, Log& log) {
  const ComparedFolder of_first;
  const ComparedFolder of_second;
  const options::Settings first = first_run(settings, of_first);
  RunResult result = run_alone(first, log);
  const options::Settings second = second_run(settings, of_second);
  log.line("once more with --threads " + std::to_string(second.integer("threads")) + " --workers " +
           std::to_string(second.integer("workers")) + " --batch-size-validation " +
           std::to_string(second.integer("batch-size-validation")) + " and hardly any memory");
  compare_reports(first, result, run_alone(second, log));
  compare_files(first, second);
  log.line("both runs wrote the same bytes: logits, quantizers, exported files, reports");
  return result;
}

}  // namespace ptq::cli
