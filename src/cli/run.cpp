#include "cli/run.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/npy.h"
#include "base/thread_group.h"
#include "base/threads.h"
#include "cli/determinism.h"
#include "cli/gate/gating.h"
#include "cli/image_sets.h"
#include "cli/outputs.h"
#include "cli/stage.h"
#include "cli/stages/arithmetic.h"
#include "cli/stages/attribution.h"
#include "cli/stages/auditing.h"
#include "cli/stages/bits_stage.h"
#include "cli/stages/cache_stage.h"
#include "cli/stages/calibration_draws.h"
#include "cli/stages/evaluation_stage.h"
#include "cli/stages/export_stages.h"
#include "cli/stages/guarding.h"
#include "cli/stages/quantize_stage.h"
#include "cli/words.h"
#include "import/import.h"
#include "options/flag_names.h"
#include "options/run_name.h"
#include "options/settings_json.h"
#include "ptq/base/error.h"
#include "ptq/ir/tensors.h"
#include "quant/quantizer_dump.h"
#include "report/graph_drawing.h"
#include "report/page/answer_details.h"
#include "report/page/network_details.h"
#include "report/page/page.h"
#include "report/report.h"
#include "report/result_lines.h"
#include "workflow/shared_stages.h"

namespace ptq::cli {
namespace {

void announce(Run& run) {
  run.log.line(configuration_line(run.settings, run.config));
  for (const std::string& line : plan_lines(run.config)) run.log.line(line);
  run.log.line("run name    " + options::run_name(run.settings, run.config));
}

void announce_left_out(Run& run, const std::string& directory, const data::ImageFolder& folder) {
  const auto say = [&](int64_t count, const char* one, const char* many) {
    if (count == 0) return;
    run.log.line(directory + ": " + std::to_string(count) + (count == 1 ? one : many));
  };
  say(folder.passed_over, " file passed over: it is hidden, or an archive beside class folders",
      " files passed over: they are hidden, or archives beside class folders");
  say(folder.listed_again, " line of labels repeats another", " lines of labels repeat others");
}

void announce_images(Run& run, ImageSets& images) {
  announce_left_out(run, run.config.validation_dir, images.validation().folder());
  if (!needs_images(run.config.quantize)) {
    run.log.line("no calibration: no option needs it; evaluating on " +
                 std::to_string(images.validation().size()));
    return;
  }
  run.log.line("calibrating on " + std::to_string(images.calibration().size()) + " of " +
               std::to_string(images.calibration().available()) + " images (" +
               run.settings.text("calibration-sampling") + "), evaluating on " +
               std::to_string(images.validation().size()));
  if (images.calibration().size() < run.config.calibration_samples) {
    run.log.line("--calibration-samples was not given: all " +
                 std::to_string(images.calibration().size()) + " images are used, fewer than " +
                 std::to_string(run.config.calibration_samples));
  }
}

/// Labels the model cannot answer are an error; a model with far more classes than the folder has
/// is usually a folder whose labels are not the model's.
void check_labels(Run& run, const ir::Graph& graph, const data::ImageFolder& folder) {
  const int64_t classes = graph.values.at(static_cast<size_t>(graph.output)).shape.back().value;
  for (const data::ImageFolder::Item& item : folder.items) {
    if (item.label < classes) continue;
    throw DataError(item.path + " has label " + std::to_string(item.label) + ", but " +
                    run.config.model_file + " has " + std::to_string(classes) + " classes" +
                    (run.config.label_offset == 1 ? ": --label-offset 1 counts one too many" : ""));
  }
  const auto named = static_cast<int64_t>(folder.classes.size());
  if (classes == named + 1 && run.config.label_offset == 0) {
    run.log.warning(run.config.model_file + " has one class more than " +
                    run.config.validation_dir +
                    ": if its first class is the background, --label-offset 1 is needed");
  } else if (named != classes) {
    run.log.warning(run.config.validation_dir + " has " + std::to_string(named) +
                    " classes and the model " + std::to_string(classes) +
                    ": labels count the folder's classes, unless a labels.txt or classes.txt says "
                    "otherwise");
  }
}

/// Moves every tensor the graph holds.
void move_to(ir::Graph& graph, c10::Device device) {
  if (device.is_cpu()) return;
  for (ir::Node& node : graph.nodes) {
    ir::visit_tensors(node.op, [&](at::Tensor& tensor) { tensor = tensor.to(device); });
  }
}

ir::Graph import_model(Run& run) {
  auto& shelf = run.session.stages().imported;
  return workflow::shared(run.session, run.log, shelf, source_of(run.config).graph, [&] {
    return timed(run.log, "import", [&] {
      import::ImportOptions options;
      options.image_size = run.config.recipe.crop;
      options.trust = run.config.trust;
      std::vector<std::string> notes;
      ir::Graph graph = import::import_torchscript(run.config.model_file, options, notes);
      for (const std::string& note : notes) run.log.warning(run.config.model_file + ": " + note);
      move_to(graph, run.config.execution.device);
      return graph;
    });
  });
}

/// Folders are numbered in the order of their names, in which 10 comes before 2.
void check_numbered_folders(Run& run, const data::ImageFolder& folder) {
  const auto is_number = [](const std::string& name) {
    return !name.empty() && name.size() < 10 && name.find_first_not_of("0123456789") == name.npos;
  };
  if (!std::all_of(folder.classes.begin(), folder.classes.end(), is_number)) return;
  for (size_t label = 0; label < folder.classes.size(); ++label) {
    if (std::stoul(folder.classes[label]) == label) continue;
    run.log.warning(run.config.validation_dir + ": folder " + folder.classes[label] +
                    " has label " + std::to_string(label) +
                    ", as folders are numbered in the order of their names; a classes.txt with one "
                    "name a line gives them another order");
    return;
  }
}

void compare_networks(Run& run) {
  RunResult& result = run.result;
  if (!result.float_evaluation) return;
  const eval::PairedCounts counts =
      eval::compare(result.float_evaluation->answers(), result.quantized.answers());
  result.comparison = report::Comparison{counts, eval::paired_difference(counts)};
}

void write_logits(const std::optional<std::string>& path, const at::Tensor& logits) {
  if (!path) return;
  write_npy(*path, logits.data_ptr<float>(), logits.size(0), logits.size(1));
}

void report_unreadable(Run& run, const ImageSets& images) {
  run.result.unreadable = images.unreadable();
  for (const UnreadableImage& image : run.result.unreadable) {
    run.log.warning(image.set + " image left out: " + image.path + ": " + image.reason);
  }
}

void float_stage(Run& run, const ir::Graph& graph, ImageSets& images) {
  const options::Config& config = run.config;
  if (config.skip_float) return;
  const bool keep_logits = config.outputs.float_logits.has_value() || config.attribute;
  const std::string key =
      source_of(config).graph + validation_key(config) + (keep_logits ? " logits" : "");
  auto& shelf = run.session.stages().float_evaluation;
  run.result.float_evaluation = workflow::shared(run.session, run.log, shelf, key, [&] {
    return evaluate(run, {"float evaluation", runtime::Numerics::kFloat, keep_logits}, {graph, {}},
                    images);
  });
  write_logits(config.outputs.float_logits, run.result.float_evaluation->logits);
  if (!config.attribute) run.result.float_evaluation->logits.reset();
}

void quantized_stages(Run& run, const ir::Graph& imported, ImageSets& images) {
  Attribution attribution(run, images);
  const QuantizedNetwork network = quantize_model(run, imported, images, attribution);
  say_arithmetic(run, network);
  export_network(run, network, images);
  eval::Evaluation& evaluation = run.result.quantized;
  evaluation = attribution.evaluation(network);
  write_logits(run.config.outputs.logits, evaluation.logits);
  evaluation.logits.reset();
  if (run.config.outputs.quantizers) {
    quant::write_quantizer_dump(*run.config.outputs.quantizers, network);
  }
  if (run.config.outputs.graph) {
    report::write_graph_drawing(*run.config.outputs.graph, network, run.log);
  }
  if (run.config.outputs.page) {
    const auto& exports = run.result.exports;
    run.result.details = report::network_details(
        network, exports ? std::make_optional(exports->truth) : std::nullopt);
  }
  guard_network(run, network, images);
}

report::RunFacts facts_of(const Run& run) {
  const options::Config& config = run.config;
  report::RunFacts facts;
  facts.run_name = options::run_name(run.settings, config);
  facts.command = options::command_of(run.settings);
  facts.version = options::program_version();
  facts.model_file = config.model_file;
  facts.model_name = config.model_name;
  facts.calibration_sampling = run.settings.text("calibration-sampling");
  if (run.settings.is_on("audit-calibration")) facts.audit_detail = report::AuditDetail::kAll;
  facts.recipe = config.recipe;
  facts.execution = config.execution;
  facts.seed = config.quantize.seed;
  return facts;
}

/// The page shows the report itself.
void write_results(const Run& run) {
  const options::Outputs& outputs = run.config.outputs;
  if (!outputs.report && !outputs.page) return;
  const nlohmann::json made =
      report::report_json(facts_of(run), options::config_json(run.settings), run.result);
  if (outputs.report) report::write_report(*outputs.report, made);
  if (outputs.page) {
    report::write_page(*outputs.page, made, outputs.page_images, run.config.recipe);
  }
}

/// From settings to files.
RunResult run_all(const options::Settings& settings, Session& session, Log& log) {
  options::Config config = options::make_config(settings);
  check_outputs(settings, config);
  require_threads(config.execution.threads + config.workers);
  set_intra_op_threads(config.execution.threads);
  FlagLog recording(log, settings);
  Run run{settings, config, recording, session.stages(), {}};
  announce(run);
  ImageSets images(config, session.stages());
  check_outputs_are_no_images(config, config.validation_dir, images.validation().folder());
  if (needs_images(config.quantize)) {
    check_outputs_are_no_images(config, config.calibration_dir, images.calibration().folder());
  }
  announce_images(run, images);
  check_draws(config, images.calibration().size(), images.calibration().available());
  const Gating gating(run, images.validation().loader());
  std::optional<Auditing> auditing;
  if (needs_images(config.quantize)) auditing.emplace(run, images);
  // Decoding starts while the model is read, and calibration's while the graph is prepared.
  // Answers in a cache need no images.
  if (!config.cache) images.validation().prefetch();
  const ir::Graph graph = import_model(run);
  check_labels(run, graph, images.validation().folder());
  check_numbered_folders(run, images.validation().folder());
  check_exportable(run, graph);
  float_stage(run, graph, images);
  if (needs_images(config.quantize) && !config.cache) {
    images.calibration().prefetch();
  }
  choose_bits(run, graph, images, config.quantize);
  quantized_stages(run, graph, images);
  report_unreadable(run, images);
  if (auditing) auditing->finish(run, images);
  compare_networks(run);
  report::add_answer_details(run.result, images.validation().folder());
  guard_answers(run);
  repeat_calibration(run, session);
  finish_cache(run);
  run.result.stages = recording.stages;
  run.result.warnings = recording.warnings;
  for (const std::string& line : report::result_lines(run.result)) log.line(line);
  gating.finish(run);
  write_results(run);
  return std::move(run.result);
}

}  // namespace

RunResult run(const options::Settings& settings, Log& log) {
  if (settings.is_on("verify-determinism")) return run_and_verify(settings, log);
  Session session(settings.is_none("repeat-calibration") ? Session::Runs::kOne
                                                         : Session::Runs::kMany);
  return run(settings, session, log);
}

RunResult run(const options::Settings& settings, Session& session, Log& log) {
  return options::with_flags([&] { return run_all(settings, session, log); });
}

ExitCode exit_code(const RunResult& result) {
  if (!result.verdict) return ExitCode::kSuccess;
  switch (*result.verdict) {
    case eval::Verdict::kPass:
      return ExitCode::kSuccess;
    case eval::Verdict::kFail:
      return ExitCode::kGateFailed;
    case eval::Verdict::kInconclusive:
      break;
  }
  return ExitCode::kGateInconclusive;
}

}  // namespace ptq::cli
