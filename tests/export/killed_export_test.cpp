#include <ATen/ops/equal.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <functional>
#include <random>
#include <thread>

#include "base/threads.h"
#include "export/export.h"
#include "support/graph_builder.h"
#include "support/run_graph.h"
#include "support/temporary_folder.h"

namespace ptq::exporting {
namespace {

namespace fs = std::filesystem;

/// 2 MB of weights: most of the time goes into writing.
struct SlowNetwork {
  testing::GraphBuilder b{{4, 2, 2}};
  ir::Graph graph;

  SlowNetwork() {
    const ir::ValueId rows = b.flatten(b.fake_quantize(b.input(), 0.1));
    const ir::ValueId wide = b.linear(rows, 1000);
    const ir::ValueId last = b.linear(b.fake_quantize(wide, 0.1), 2000);
    b.quantize_weight(wide, 0.01);
    b.quantize_weight(last, 0.01);
    graph = b.finish(last);
  }
};

/// Files of `folder` that a killed process left under a name of its own.
bool has_partial_file(const support::TemporaryFolder& folder) {
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    if (entry.path().filename().string().front() == '.') return true;
  }
  return false;
}

void remove_partial_files(const support::TemporaryFolder& folder) {
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    if (entry.path().filename().string().front() == '.') fs::remove(entry.path());
  }
}

void wait_for_partial_file(const support::TemporaryFolder& folder) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (!has_partial_file(folder) && std::chrono::steady_clock::now() < end) {
  }
}

/// Kills a process that exports over and over. Threads do not live on in a forked process, so there
/// must be none that it waits for.
void export_until_killed(const SlowNetwork& network, Format format, const std::string& path,
                         const std::function<void()>& wait) {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) write({network.graph, network.b.table}, format, {}, path);
  }
  ASSERT_GT(child, 0);
  wait();
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
}

class KilledExport : public ::testing::TestWithParam<Format> {};

TEST_P(KilledExport, LeavesAWholeFileOrNone) {
  set_intra_op_threads(1);
  const SlowNetwork network;
  const support::TemporaryFolder folder;
  const std::string path = folder.file("network");
  const at::Tensor images = testing::images_for(network.graph, 2);
  const auto start = std::chrono::steady_clock::now();
  write({network.graph, network.b.table}, GetParam(), {}, path);
  const std::chrono::duration<double, std::micro> once = std::chrono::steady_clock::now() - start;
  const at::Tensor logits = load(path, GetParam())->run(images);
  std::mt19937 random(7);
  std::uniform_real_distribution<double> exports(0, 4);
  int whole = 0, interrupted = 0;
  // Every other time at any moment, and else while something is being written.
  for (int i = 0; i < 50; ++i) {
    fs::remove(path);
    const std::chrono::microseconds time(std::lround(exports(random) * once.count()));
    export_until_killed(network, GetParam(), path, [&] {
      std::this_thread::sleep_for(time);
      if (i % 2 == 1) wait_for_partial_file(folder);
    });
    interrupted += has_partial_file(folder);
    remove_partial_files(folder);
    if (!fs::exists(path)) continue;
    ++whole;
    EXPECT_TRUE(at::equal(load(path, GetParam())->run(images), logits));
  }
  EXPECT_GT(whole, 0);
  EXPECT_GT(interrupted, 0);
}

INSTANTIATE_TEST_SUITE_P(Formats, KilledExport,
                         ::testing::Values(Format::kOnnx, Format::kTorchScript),
                         [](const auto& test) {
                           return test.param == Format::kOnnx ? "Onnx" : "TorchScript";
                         });

}  // namespace
}  // namespace ptq::exporting
