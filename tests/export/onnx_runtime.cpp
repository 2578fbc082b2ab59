#include "export/onnx_runtime.h"

#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "support/program.h"

namespace ptq::exporting::testing {
namespace {

namespace fs = std::filesystem;

const std::string kPackages = PTQ_SOURCE_DIR "/build/onnxruntime";
const std::string kScript = PTQ_SOURCE_DIR "/src/parity/run_onnx.mjs";

support::ProgramResult run_node(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "node");
  return support::run_program("/usr/bin/env", arguments);
}

std::string bytes_of(const at::Tensor& images) {
  const at::Tensor dense = images.contiguous();
  return {reinterpret_cast<const char*>(dense.data_ptr<float>()),
          static_cast<size_t>(dense.numel()) * sizeof(float)};
}

std::string job_text(const OnnxRuntimeJob& job, const std::string& images,
                     const std::string& outputs) {
  std::ostringstream text;
  text << R"({"model": ")" << job.model << R"(", "images": ")" << images << R"(", "outputs": ")"
       << outputs << R"(", "optimization": ")"
       << (job.optimization == Optimization::kDisabled ? "disabled" : "all") << R"(", "exact": )"
       << (job.optimization == Optimization::kAllExact ? "true" : "false") << R"(, "shape": [)";
  for (int64_t dim = 0; dim < job.images.dim(); ++dim) {
    text << (dim == 0 ? "" : ", ") << job.images.size(dim);
  }
  text << "]}";
  return text.str();
}

}  // namespace

std::string why_no_onnx_runtime() {
  if (run_node({"--version"}).exit_code != 0) return "there is no node";
  if (run_node({kScript, "--version", kPackages}).exit_code == 0) return "";
  return "npm's onnxruntime-node is not installed in " + kPackages;
}

void run_in_onnx_runtime(const std::vector<OnnxRuntimeJob>& jobs,
                         const support::TemporaryFolder& folder) {
  std::string text;
  for (const OnnxRuntimeJob& job : jobs) {
    const std::string outputs = folder.file(job.name);
    const std::string images = folder.write(job.name + ".in", bytes_of(job.images));
    text += (text.empty() ? "" : ", ") + job_text(job, images, outputs);
  }
  const auto result = run_node({kScript, folder.write("jobs.json", "[" + text + "]"), kPackages});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

at::Tensor first_output(const OnnxRuntimeJob& job, const support::TemporaryFolder& folder) {
  std::string bytes = support::content_of(folder.file(job.name + ".0"));
  const int64_t batch = job.images.size(0);
  const auto count = static_cast<int64_t>(bytes.size() / sizeof(float));
  return at::from_blob(bytes.data(), {batch, count / batch}).clone();
}

}  // namespace ptq::exporting::testing
