#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "golden/matrix.h"

/// A configuration of the reference, run by the program, and both results side by side.
namespace ptq::golden {

/// What the reference stored of a configuration.
struct Reference {
  std::string name;
  nlohmann::json figures;
  /// Of the first images.
  Matrix logits, float_logits;

  int right() const { return figures.at("correct"); }
};

/// `data` is the folder of test data, `name` MODEL-CONFIGURATION.
Reference read_reference(const std::string& data, const std::string& name);

/// What the program wrote.
struct Outcome {
  nlohmann::json report, quantizers;
  /// Of all images.
  Matrix logits, float_logits;
  std::vector<int64_t> labels;

  int right(const char* network) const { return report.at(network).at("correct"); }
};

/// Runs the program with the options of the reference's run and `more`, in float arithmetic, which
/// is the reference's. Throws std::runtime_error with what it printed if it fails.
Outcome run_like(const Reference& reference, const std::string& data,
                 const std::vector<std::string>& more);

/// Whether there are layers that can run on integers.
bool is_for_integers(const Reference& reference);

/// The same in integer arithmetic, with the scales and next to the float network of `floats`.
Outcome run_on_integers(const Reference& reference, const std::string& data, const Outcome& floats);

/// How near the two came.
struct Nearness {
  double scale_error = 0;
  /// dB, mean over the images whose logits the reference stored, to each one's own float logits.
  double sqnr = 0, reference_sqnr = 0;
  int right = 0, reference_right = 0;
  /// Images that one has right and the other wrong, on average (chance.h), and how likely two draws
  /// are to lie as far apart as these.
  double discordant = 0, chance = 0;
  double cosine = 0;

  /// Then there is more noise than signal, nearly: answers and noise say nothing, scales alone do.
  bool is_collapse() const { return reference_sqnr < 3; }
};

Nearness nearness(const Outcome& ours, const Reference& reference);

}  // namespace ptq::golden
