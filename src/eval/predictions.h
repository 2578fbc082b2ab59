#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eval/evaluate.h"
#include "ptq/data/image_folder.h"
#include "ptq/runtime/executor.h"

/// What one network answered to every image, kept in a file so that a later run can be compared
/// with it image by image.
namespace ptq::eval {

struct Prediction {
  /// SHA-256 of the image's file.
  std::string image_hash;
  int64_t label = 0;
  /// kNoPrediction where there was none.
  int64_t prediction = 0;
  /// For people: images are known by their hash.
  std::string path;

  bool right() const { return prediction == label; }
};

struct Predictions {
  /// SHA-256 of the model's file.
  std::string model_hash;
  /// data::data_hash of the images, labels included.
  std::string data_hash;
  /// Name of the run that made them.
  std::string run_name;
  /// What its quantized layers computed in; floats where a file does not say.
  runtime::Arithmetic arithmetic = runtime::Arithmetic::kFloat;
  std::vector<Prediction> images;

  Accuracy accuracy() const;
};

/// `hashes[i]` is the content hash of folder.items[i]; images that were not evaluated do not count.
Predictions predictions_of(const Evaluation& evaluation, const data::ImageFolder& folder,
                           const std::vector<std::string>& hashes);

/// CSV (RFC 4180 with '\n'), complete or not at all: lines `# model_hash HEX`, `# data_hash HEX`,
/// `# run_name TEXT`, `# arithmetic integer|float`, then a heading and a row per image,
///
///   image_hash,label,prediction,right,path
///
/// Throws OutputError naming the file.
void write_predictions(const std::string& path, const Predictions& predictions);

/// Throws DataError naming file and line for anything that write_predictions does not write, rows
/// that contradict the data hash included.
Predictions read_predictions(const std::string& path);

/// "FILE was made in float arithmetic, and this run computes in integer arithmetic"; empty where
/// both are the same.
std::string arithmetic_difference(const std::string& baseline_name, runtime::Arithmetic baseline,
                                  runtime::Arithmetic now);

/// Two runs' answers in one order of images.
struct PairedPredictions {
  std::vector<int64_t> baseline_predictions, predictions;
  std::vector<uint8_t> baseline_right, right;

  Answers baseline() const { return {baseline_predictions, baseline_right}; }
  Answers now() const { return {predictions, right}; }
};

/// Throws DataError, one sentence that begins with `baseline_name`, if the images or labels are not
/// the same.
PairedPredictions pair(const std::string& baseline_name, const Predictions& baseline,
                       const Predictions& now);

}  // namespace ptq::eval
