#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ptq::eval {

/// Two computations of one network on the same images.
struct LogitParity {
  int64_t images = 0;
  /// Images with the same prediction.
  int64_t agreeing = 0;
  /// An image without: its row, and how far apart the first network's logits of the two classes
  /// named are, in the unit of differences: next to nothing for a tie.
  struct Disagreement {
    int64_t row = 0;
    double margin = 0;
  };
  std::vector<Disagreement> disagreeing;
  /// What logits are multiples of; none where they are not, and differences are then parts of the
  /// largest magnitude among the first network's logits.
  std::optional<double> step;
  double largest_difference = 0;
  /// Of all images that disagree.
  double largest_margin = 0;
  /// Logits by how far they differ: "0", "1", ... steps, or "0", "up to 1e-06", ...
  struct Bin {
    std::string difference;
    int64_t logits = 0;
  };
  /// In growing order, empty ones left out.
  std::vector<Bin> histogram;
};

/// `first` and `second`: [N, classes] float32, contiguous. Throws InternalError if shapes differ.
LogitParity compare_logits(const at::Tensor& first, const at::Tensor& second,
                           std::optional<double> step);

}  // namespace ptq::eval
