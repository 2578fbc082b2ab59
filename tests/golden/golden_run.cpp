#include "golden/golden_run.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "golden/chance.h"
#include "golden/comparison.h"
#include "golden/reference_flags.h"
#include "support/program.h"
#include "support/temporary_folder.h"

namespace ptq::golden {
namespace {

using nlohmann::json;

std::string model_of(const std::string& name) { return name.substr(0, name.find('-')); }

/// The second column of what --save-predictions wrote, behind comments and a heading.
std::vector<int64_t> labels_of(const std::string& predictions) {
  std::vector<int64_t> labels;
  std::istringstream lines(predictions);
  for (std::string line; std::getline(lines, line);) {
    const bool is_row = line[0] != '#' && line.rfind("image_hash", 0) != 0;
    if (is_row) labels.push_back(std::stoll(line.substr(line.find(',') + 1)));
  }
  return labels;
}

/// What all runs like the reference's have, each with a report, logits and predictions in a folder
/// of its own. They share a cache: sixty runs would decode the same photographs and run the same
/// three float networks. Its entries are known by the build of the program, too (docs/cache.md).
class Runner {
 public:
  Runner(const Reference& reference, const std::string& data) : name_(reference.name) {
    const std::string images = data + "/data/imagenet-sample/";
    words_ = reference_flags(reference.figures.at("options"));
    words_.insert(words_.end(),
                  {"--model", data + "/models/" + model_of(reference.name) + ".pt",
                   "--calibration-dir", images + "calibration", "--validation-dir",
                   images + "validation", "--workers", "2", "--cache", PTQ_GOLDEN_CACHE, "--report",
                   file("report.json"), "--dump-logits", file("logits.npy")});
  }

  std::string file(const char* name) const { return folder_.path() + "/" + name; }

  void run(const std::vector<std::string>& more) {
    words_.insert(words_.end(), more.begin(), more.end());
    const support::ProgramResult result = support::run_program(PTQ_PROGRAM, words_);
    if (result.exit_code != 0) throw std::runtime_error(name_ + ": " + result.err);
  }

  json json_in(const char* name) const { return json::parse(support::content_of(file(name))); }

 private:
  std::string name_;
  support::TemporaryFolder folder_;
  std::vector<std::string> words_;
};

}  // namespace

Reference read_reference(const std::string& data, const std::string& name) {
  const std::string folder = data + "/golden/";
  return {name, json::parse(support::content_of(folder + name + ".json")),
          read_npy(folder + name + ".logits64.npy"),
          read_npy(folder + model_of(name) + "-float.logits64.npy")};
}

Outcome run_like(const Reference& reference, const std::string& data,
                 const std::vector<std::string>& more) {
  Runner runner(reference, data);
  std::vector<std::string> words = more;
  words.insert(words.end(),
               {"--arithmetic", "float", "--dump-quantizers", runner.file("quantizers.json"),
                "--dump-float-logits", runner.file("float.npy"), "--save-predictions",
                runner.file("predictions.csv")});
  runner.run(words);
  return {runner.json_in("report.json"), runner.json_in("quantizers.json"),
          read_npy(runner.file("logits.npy")), read_npy(runner.file("float.npy")),
          labels_of(support::content_of(runner.file("predictions.csv")))};
}

bool is_for_integers(const Reference& reference) {
  const json& options = reference.figures.at("options");
  // HQO finds zero points between two codes.
  const bool has_float_zero_points = options.at("weight_quant_calibration_type") == "hqo" &&
                                     options.at("weight_quant_type") == "asym";
  return options.at("quant_format") == "int" && !has_float_zero_points &&
         options.at("act_scale_computation_type") == "static";
}

Outcome run_on_integers(const Reference& reference, const std::string& data,
                        const Outcome& floats) {
  // The file has the scales of activations: how they are calibrated is not asked again.
  Reference calibrated = reference;
  calibrated.figures["options"].erase("act_quant_percentile");
  Runner runner(calibrated, data);
  std::ofstream(runner.file("quantizers.json")) << floats.quantizers;
  runner.run({"--arithmetic", "integer", "--load-quantizers", runner.file("quantizers.json"),
              "--skip-float"});
  return {runner.json_in("report.json"), floats.quantizers, read_npy(runner.file("logits.npy")),
          floats.float_logits, floats.labels};
}

Nearness nearness(const Outcome& ours, const Reference& reference) {
  Nearness result;
  const int64_t stored = reference.logits.rows;
  const Matrix logits = head(ours.logits, stored);
  result.scale_error = worst_scale_error(ours.quantizers, reference.figures);
  result.sqnr = mean_sqnr(head(ours.float_logits, stored), logits);
  result.reference_sqnr = mean_sqnr(reference.float_logits, reference.logits);
  result.right = ours.right("quantized");
  result.reference_right = reference.right();
  const std::vector<double> all = margins(ours.logits, ours.labels);
  std::vector<double> moves = margins(reference.logits, ours.labels);
  for (size_t i = 0; i < moves.size(); ++i) moves[i] -= all[i];
  result.discordant = expected_discordant(all, moves);
  result.chance = chance_of_difference(result.right - result.reference_right, result.discordant);
  result.cosine = cosine(logits, reference.logits);
  return result;
}

}  // namespace ptq::golden
