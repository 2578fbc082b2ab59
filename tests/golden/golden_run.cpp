#include "golden/golden_run.h"

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

}  // namespace

Reference read_reference(const std::string& data, const std::string& name) {
  const std::string folder = data + "/golden/";
  return {name, json::parse(support::content_of(folder + name + ".json")),
          read_npy(folder + name + ".logits64.npy"),
          read_npy(folder + model_of(name) + "-float.logits64.npy")};
}

Outcome run_like(const Reference& reference, const std::string& data,
                 const std::vector<std::string>& more) {
  const support::TemporaryFolder folder;
  const std::string images = data + "/data/imagenet-sample/";
  const auto file = [&](const char* name) { return folder.path() + "/" + name; };
  std::vector<std::string> words = reference_flags(reference.figures.at("options"));
  words.insert(words.end(), {"--model", data + "/models/" + model_of(reference.name) + ".pt",
                             "--calibration-dir", images + "calibration", "--validation-dir",
                             images + "validation", "--workers", "2", "--report",
                             file("report.json"), "--dump-quantizers", file("quantizers.json"),
                             "--dump-logits", file("logits.npy"), "--dump-float-logits",
                             file("float.npy"), "--save-predictions", file("predictions.csv")});
  words.insert(words.end(), more.begin(), more.end());
  const support::ProgramResult result = support::run_program(PTQ_PROGRAM, words);
  if (result.exit_code != 0) throw std::runtime_error(reference.name + ": " + result.err);
  return {json::parse(support::content_of(file("report.json"))),
          json::parse(support::content_of(file("quantizers.json"))), read_npy(file("logits.npy")),
          read_npy(file("float.npy")), labels_of(support::content_of(file("predictions.csv")))};
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
