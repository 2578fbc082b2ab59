#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "export/truth.h"

/// What the page of a run (--page) shows beyond the report of other runs.
namespace ptq::report {

struct Histogram {
  double low = 0, high = 0;
  std::vector<int64_t> counts;
};

/// A layer's weight, as it is before it is quantized, and what its codes make of it.
struct WeightDetail {
  std::string name, operation;
  int bits = 0;
  int64_t scales = 1;
  double smallest = 0, largest = 0;
  /// What the codes of the widest scale reach.
  double lowest_code = 0, highest_code = 0;
  /// Shares of the weights: farther from zero than their codes reach by more than half a step, and
  /// zero though the weight is not.
  double clipped = 0, zeroed = 0;
  /// Codes that some weight uses, of those there are; none for minifloats.
  std::optional<int64_t> codes_used;
  int64_t codes = 0;
  /// In dB; infinite where the weights are their own codes.
  double sqnr = 0;
  Histogram histogram;
};

/// An activation quantizer.
struct ActivationDetail {
  std::string name;
  int bits = 0;
  bool is_signed = true;
  /// Quantizers with one number share their scale.
  int scale = -1;
  /// What its codes reach; none where scales are found for every image or block.
  std::optional<double> lowest, highest;
};

/// Right answers on the images of one class.
struct ClassDetail {
  int64_t label = 0;
  std::string name;
  int64_t count = 0, right_in_float = 0, right_quantized = 0;
};

/// An image that the quantized network answers otherwise than the float one.
struct Flip {
  std::string path;
  int64_t label = 0, in_float = 0, quantized = 0;
  std::string label_name, float_name, quantized_name;
};

struct RunDetails {
  /// In order of execution.
  std::vector<WeightDetail> weights;
  std::vector<ActivationDetail> activations;
  /// None where the network has no integer form.
  std::optional<exporting::Truth> truth;
  /// Empty with --skip-float. By label; and those lost first.
  std::vector<ClassDetail> classes;
  std::vector<Flip> flips;
};

}  // namespace ptq::report
