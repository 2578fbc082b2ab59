#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/logit_parity.h"
#include "export/truth.h"

/// What a run says about the files that it exported.
namespace ptq::parity {

/// The first quantizer, in the order of execution, at which two streams hold different codes.
struct Parting {
  /// Empty where all codes are the same: what differs comes after them.
  std::string node;
  int64_t codes = 0;
  int64_t differing = 0;
  double largest_steps = 0;
  /// How far the values that were rounded apart lie from the boundary between two codes, at most,
  /// in steps: next to nothing where a tie, or a sum in another order, is the reason.
  double from_boundary = 0;
};

/// An image that an exported file predicts differently than the run's own network.
struct Disagreement {
  std::string image;
  /// Between the two classes, as in eval::LogitParity.
  double margin = 0;
  /// None where it was not looked for, or the file's values cannot be had.
  std::optional<Parting> parting;

  /// Whether the two streams hold the same codes until values next to the boundary between two
  /// codes (less than a thousandth of a step off) fall on its two sides, or until the logits of two
  /// classes that are equal except for rounding.
  bool is_tie() const;
};

/// One file, run again by one program on validation images, beside the run's own network.
struct ExportCheck {
  /// "LibTorch", "evaluator", "ONNX Runtime", ...
  std::string runner;
  eval::LogitParity parity;
  std::vector<Disagreement> disagreeing;
  /// Why the runner gave no answer; the rest is then empty.
  std::string failure;
};

struct ExportedFile {
  /// "ONNX" or "TorchScript".
  std::string format;
  std::string path;
  int64_t bytes = 0;
  std::vector<ExportCheck> checks;
};

struct ExportReport {
  exporting::Truth truth;
  std::vector<ExportedFile> files;
  /// Why ONNX Runtime ran nothing; empty if it did, or nobody asked.
  std::string no_onnx_runtime;
};

}  // namespace ptq::parity
