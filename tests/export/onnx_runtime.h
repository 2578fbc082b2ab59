#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "support/temporary_folder.h"

namespace ptq::exporting::testing {

/// kAllExact: with the session option x64quantprecision. Without it, processors without VNNI add
/// products of int8 weights and uint8 activations in 16 bits, which saturate.
enum class Optimization { kDisabled, kAll, kAllExact };

/// One file, run once. Its outputs become the files NAME.0, NAME.1, ...: elements alone.
struct OnnxRuntimeJob {
  std::string name;
  std::string model;
  at::Tensor images;
  Optimization optimization = Optimization::kDisabled;
};

/// Why ONNX Runtime cannot be run here; empty if it can. It needs node and, under
/// build/onnxruntime, npm's package onnxruntime-node (run_tests.sh installs it).
std::string why_no_onnx_runtime();

/// All jobs in one process of node; a failure of the test where ONNX Runtime refuses one.
void run_in_onnx_runtime(const std::vector<OnnxRuntimeJob>& jobs,
                         const support::TemporaryFolder& folder);

/// NAME.0 as [N, classes].
at::Tensor first_output(const OnnxRuntimeJob& job, const support::TemporaryFolder& folder);

}  // namespace ptq::exporting::testing
