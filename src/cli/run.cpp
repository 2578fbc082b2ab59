#include "ptq/cli/run.h"

#include "device.h"
#include "image_sets.h"
#include "ptq/base/atomic_file.h"
#include "ptq/base/error.h"
#include "ptq/base/npy.h"
#include "ptq/base/threads.h"
#include "ptq/eval/guards.h"
#include "ptq/import/import.h"
#include "ptq/runtime/executor.h"
#include "quantize.h"
#include "quantizer_dump.h"
#include "report.h"
#include "run_name.h"
#include "shared_stages.h"
#include "stage.h"
#include "words.h"

namespace ptq::cli {
namespace {

void require_writable_outputs(const Outputs& outputs) {
  for (const auto& file :
       {outputs.report, outputs.quantizers, outputs.logits, outputs.float_logits}) {
    if (file) require_writable(*file);
  }
}

void announce(Run& run) {
  run.log.line(configuration_line(run.settings, run.config));
  for (const std::string& line : plan_lines(run.config)) run.log.line(line);
  run.log.line("run name    " + run_name(run.settings, run.config));
}

void announce_images(Run& run, ImageSets& images) {
  if (!needs_calibration_images(run.config)) {
    run.log.line("no calibration: nothing asked for needs it; evaluating on " +
                 std::to_string(images.validation().size()));
    return;
  }
  run.log.line("calibrating on " + std::to_string(images.calibration().size()) + " of " +
               std::to_string(images.calibration_available()) + " images (" +
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
                    run.config.model_file + " has " + std::to_string(classes) + " classes");
  }
  const auto named = static_cast<int64_t>(folder.classes.size());
  if (named != classes) {
    warn(run, run.config.validation_dir + " has " + std::to_string(named) +
                  " classes and the model " + std::to_string(classes) +
                  ": labels count the folder's classes, unless a labels.txt or classes.txt says "
                  "otherwise");
  }
}

ir::Graph import_model(Run& run) {
  return shared(run, run.shared.imported, key_up_to(Level::kModel, run.settings), [&] {
    return timed(run, "import", [&] {
      import::ImportOptions options;
      options.image_size = run.config.recipe.crop;
      ir::Graph graph = import::import_torchscript(run.config.model_file, options);
      move_to(graph, run.config.device);
      return graph;
    });
  });
}

eval::Evaluation evaluate(Run& run, const ir::Graph& graph, const quant::QuantizerTable& table,
                          runtime::Numerics numerics, data::Loader& images) {
  const std::string what = numerics == runtime::Numerics::kFloat ? "float" : "quantized";
  const std::string stage = what + " evaluation";
  const Config& config = run.config;
  runtime::ExecutorOptions executor;
  executor.numerics = numerics;
  executor.threads = config.threads;
  executor.dtype = config.dtype;
  eval::EvaluationOptions options;
  options.recipe = config.recipe;
  options.device = config.device;
  options.keep_logits =
      (what == "float" ? config.outputs.float_logits : config.outputs.logits).has_value();
  eval::Evaluation evaluation = timed(run, stage, [&] {
    images.start(config.batch_size_validation);
    const auto network = config.compile ? runtime::make_plan(graph, table, executor)
                                        : runtime::make_interpreter(graph, table, executor);
    return eval::evaluate(*network, images, options,
                          [&](int64_t done) { run.log.progress(stage, done, images.size()); });
  });
  for (const std::string& sentence : eval::suspicions(what, evaluation)) warn(run, sentence);
  return evaluation;
}

void compare_networks(Run& run) {
  RunResult& result = run.result;
  if (!result.float_evaluation) return;
  const eval::PairedCounts counts =
      eval::compare(result.float_evaluation->answers(), result.quantized.answers());
  result.comparison = Comparison{counts, eval::paired_difference(counts)};
  for (const std::string& sentence :
       eval::suspicions_of_pair(*result.float_evaluation, result.quantized)) {
    warn(run, sentence);
  }
}

void write_logits(const std::optional<std::string>& path, at::Tensor& logits) {
  if (!path) return;
  write_npy(*path, logits.data_ptr<float>(), logits.size(0), logits.size(1));
  logits.reset();
}

void report_unreadable(Run& run, const ImageSets& images) {
  run.result.unreadable = images.unreadable();
  for (const UnreadableImage& image : run.result.unreadable) {
    warn(run, image.set + " image left out: " + image.path + ": " + image.reason);
  }
}

void float_stage(Run& run, const ir::Graph& graph, ImageSets& images) {
  if (run.config.skip_float) return;
  const std::string key =
      key_up_to(Level::kModel, run.settings) + to_text(run.settings.value("validation-samples"));
  run.result.float_evaluation = shared(run, run.shared.float_evaluation, key, [&] {
    return evaluate(run, graph, {}, runtime::Numerics::kFloat, images.validation());
  });
  write_logits(run.config.outputs.float_logits, run.result.float_evaluation->logits);
}

void quantized_stages(Run& run, ir::Graph graph, ImageSets& images) {
  const quant::QuantizerTable table = quantize(run, graph, images);
  run.result.quantized =
      evaluate(run, graph, table, runtime::Numerics::kQuantized, images.validation());
  write_logits(run.config.outputs.logits, run.result.quantized.logits);
  if (run.config.outputs.quantizers) {
    write_quantizer_dump(*run.config.outputs.quantizers, graph, table);
  }
}

}  // namespace

RunResult run(const Settings& settings, RunLog& log) {
  Session session;
  return run(settings, session, log);
}

RunResult run(const Settings& settings, Session& session, RunLog& log) {
  const Config config = make_config(settings);
  require_writable_outputs(config.outputs);
  set_intra_op_threads(config.threads);
  Run run{settings, config, log, session.stages(), {}};
  announce(run);
  ImageSets images(config, run.shared);
  announce_images(run, images);
  // Decoding starts while the model is read, and calibration's while the graph is prepared.
  images.validation().start(config.batch_size_validation);
  ir::Graph graph = import_model(run);
  check_labels(run, graph, images.validation_folder());
  float_stage(run, graph, images);
  if (needs_calibration_images(config)) {
    images.calibration().start(config.batch_size_calibration);
  }
  quantized_stages(run, std::move(graph), images);
  report_unreadable(run, images);
  compare_networks(run);
  for (const std::string& line : result_lines(run.result)) log.line(line);
  if (config.outputs.report) write_report(*config.outputs.report, settings, config, run.result);
  return std::move(run.result);
}

}  // namespace ptq::cli
