#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace ptq::bench {

/// What is measured of an ONNX file, and with what.
struct OnnxRuntimeJob {
  std::string model;
  int64_t image_size = 224;
  int threads = 1;
  /// For each size of batch.
  double tuning_seconds = 1;
};

/// Why ONNX Runtime cannot be timed here, as a sentence; empty if it can. It takes node and npm's
/// package onnxruntime-node in build/onnxruntime (run_tests.sh installs it).
std::string why_no_onnx_runtime();

/// An ONNX file in ONNX Runtime with all optimizations, at its fastest batch: a process of node
/// (time_onnx.mjs) that takes turns with others and waits in between.
class OnnxRuntimeSpeed {
 public:
  /// Starts node and tries the sizes of a batch. Throws ExportError naming the file where ONNX
  /// Runtime does not run it.
  explicit OnnxRuntimeSpeed(const OnnxRuntimeJob& job);
  ~OnnxRuntimeSpeed();
  OnnxRuntimeSpeed(const OnnxRuntimeSpeed&) = delete;
  OnnxRuntimeSpeed& operator=(const OnnxRuntimeSpeed&) = delete;

  int64_t batch() const { return batch_; }
  /// Images a second over `images` images, rounded up to whole batches.
  double rate(int64_t images);

 private:
  std::string read_line();

  std::string model_;
  int process_ = 0;
  FILE* to_ = nullptr;
  FILE* from_ = nullptr;
  int64_t batch_ = 0;
};

}  // namespace ptq::bench
