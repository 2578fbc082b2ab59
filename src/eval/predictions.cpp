#include "eval/predictions.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "base/atomic_file.h"
#include "base/csv.h"
#include "base/input_file.h"
#include "data/content_hash.h"
#include "eval/gate/results_table.h"
#include "ptq/base/error.h"
#include "ptq/runtime/execution.h"

namespace ptq::eval {
namespace {

/// Twice as many as the images of ImageNet.
constexpr size_t kMostRows = 2'500'000;
constexpr const char* kHeading = "image_hash,label,prediction,right,path";

/// Where a file is wrong.
struct Place {
  const std::string& path;
  int64_t line = 0;

  [[noreturn]] void refuse(const std::string& reason) const {
    throw DataError(path + ": line " + std::to_string(line) + ": " + reason);
  }
};

int64_t whole_number(const std::string& text, const Place& place) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) place.refuse("\"" + text + "\" is not a number");
  return value;
}

Prediction parse_row(const std::string& line, const Place& place) {
  const std::vector<std::string> fields = split_csv(line);
  if (fields.size() != 5) place.refuse("five fields are expected, " + std::string(kHeading));
  const Prediction row{fields[0], whole_number(fields[1], place), whole_number(fields[2], place),
                       fields[4]};
  if (fields[3] != (row.right() ? "1" : "0")) {
    place.refuse("\"right\" is " + fields[3] + ", but prediction and label disagree");
  }
  return row;
}

/// "# key text".
void parse_remark(const std::string& line, Predictions& predictions) {
  const size_t space = line.find(' ', 2);
  if (space == std::string::npos) return;
  const std::string key = line.substr(2, space - 2);
  const std::string text = line.substr(space + 1);
  if (key == "model_hash") predictions.model_hash = text;
  if (key == "data_hash") predictions.data_hash = text;
  if (key == "run_name") predictions.run_name = text;
  if (key == "arithmetic" && text == runtime::word(runtime::Arithmetic::kInteger)) {
    predictions.arithmetic = runtime::Arithmetic::kInteger;
  }
}

std::string hash_of_images(const std::vector<Prediction>& images) {
  std::vector<std::string> hashes;
  std::vector<int64_t> labels;
  for (const Prediction& image : images) {
    hashes.push_back(image.image_hash);
    labels.push_back(image.label);
  }
  return data::data_hash(hashes, labels);
}

/// By content; the path tells equal files apart where it did not change.
std::vector<const Prediction*> sorted(const std::vector<Prediction>& images) {
  std::vector<const Prediction*> order;
  for (const Prediction& image : images) order.push_back(&image);
  const auto key = [](const Prediction* image) {
    return std::tie(image->image_hash, image->label, image->path);
  };
  std::sort(order.begin(), order.end(),
            [&](const Prediction* a, const Prediction* b) { return key(a) < key(b); });
  return order;
}

std::string why_different(const Predictions& baseline, const Predictions& now) {
  std::set<std::string> known;
  for (const Prediction& image : baseline.images) known.insert(image.image_hash);
  int64_t common = 0;
  for (const Prediction& image : now.images) common += known.count(image.image_hash) > 0 ? 1 : 0;
  const auto count = static_cast<int64_t>(now.images.size());
  if (common == count && known.size() <= now.images.size()) return "their labels differ";
  return std::to_string(common) + " of the " + std::to_string(count) +
         " images now evaluated are among its " + std::to_string(baseline.images.size());
}

}  // namespace

Accuracy Predictions::accuracy() const {
  Accuracy accuracy;
  accuracy.count = static_cast<int64_t>(images.size());
  for (const Prediction& image : images) accuracy.correct += image.right() ? 1 : 0;
  return accuracy;
}

Predictions predictions_of(const Evaluation& evaluation, const data::ImageFolder& folder,
                           const std::vector<std::string>& hashes) {
  Predictions predictions;
  for (size_t i = 0; i < evaluation.items.size(); ++i) {
    const auto item = static_cast<size_t>(evaluation.items[i]);
    const data::ImageFolder::Item& image = folder.items.at(item);
    predictions.images.push_back(
        {hashes.at(item), image.label, evaluation.predictions[i], image.path});
  }
  predictions.data_hash = hash_of_images(predictions.images);
  return predictions;
}

void write_predictions(const std::string& path, const Predictions& predictions) {
  AtomicFile file(path);
  file.stream() << "# model_hash " << predictions.model_hash << "\n# data_hash "
                << predictions.data_hash << "\n# run_name " << predictions.run_name
                << "\n# arithmetic " << runtime::word(predictions.arithmetic) << "\n"
                << kHeading << "\n";
  for (const Prediction& image : predictions.images) {
    file.stream() << image.image_hash << ',' << image.label << ',' << image.prediction << ','
                  << (image.right() ? 1 : 0) << ',' << csv_field(image.path) << '\n';
  }
  file.commit();
}

Predictions read_predictions(const std::string& path) {
  const auto [text, obstacle] = read_input(path);
  if (!obstacle.empty()) throw DataError(path + " " + obstacle);
  std::string_view rest = text;
  Predictions predictions;
  Place place{path};
  std::string line;
  bool in_rows = false;
  while (take_line(rest, line)) {
    ++place.line;
    if (line.size() > kLongestLine || predictions.images.size() > kMostRows) {
      place.refuse("it is longer than any file of --save-predictions");
    }
    if (in_rows) {
      predictions.images.push_back(parse_row(line, place));
    } else if (line.rfind("# ", 0) == 0) {
      parse_remark(line, predictions);
    } else if (line == kHeading) {
      in_rows = true;
    } else {
      place.refuse("--save-predictions did not write this file");
    }
  }
  if (predictions.images.empty()) throw DataError(path + " holds no predictions");
  if (hash_of_images(predictions.images) != predictions.data_hash) {
    throw DataError(path + " was changed or cut short: its rows do not give its data_hash");
  }
  return predictions;
}

std::string arithmetic_difference(const std::string& baseline_name, runtime::Arithmetic baseline,
                                  runtime::Arithmetic now) {
  if (baseline == now) return "";
  return baseline_name + " was made in " + std::string(runtime::word(baseline)) +
         " arithmetic, and this run computes in " + std::string(runtime::word(now)) + " arithmetic";
}

PairedPredictions pair(const std::string& baseline_name, const Predictions& baseline,
                       const Predictions& now) {
  if (baseline.data_hash != now.data_hash) {
    throw DataError(baseline_name +
                    " was written for other images: " + why_different(baseline, now));
  }
  const auto before = sorted(baseline.images);
  const auto after = sorted(now.images);
  PairedPredictions paired;
  for (size_t i = 0; i < after.size(); ++i) {
    paired.baseline_predictions.push_back(before[i]->prediction);
    paired.baseline_right.push_back(before[i]->right() ? 1 : 0);
    paired.predictions.push_back(after[i]->prediction);
    paired.right.push_back(after[i]->right() ? 1 : 0);
  }
  return paired;
}

}  // namespace ptq::eval
