#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "ptq/base/error.h"
#include "runtime/layer_sweep.h"
#include "support/temporary_folder.h"
#include "sweep_network.h"

namespace ptq::runtime {
namespace {

using ptq::support::TemporaryFolder;
using ptq::testing::Batches;
using ptq::testing::change;
using ptq::testing::options_of;
using ptq::testing::SweepNetwork;
using ptq::testing::whole_input;
using ptq::testing::whole_output;
using Weights = Stream::Weights;

/// Directs temporary files into a folder of the test.
class SpillingSweep : public ::testing::Test {
 protected:
  void SetUp() override { setenv("TMPDIR", folder_.path().c_str(), 1); }
  void TearDown() override { unsetenv("TMPDIR"); }

  /// Files that this process has open in the folder, deleted or not.
  int open_files() const {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      const std::string target = std::filesystem::read_symlink(entry, gone).string();
      count += target.rfind(folder_.path(), 0) == 0 ? 1 : 0;
    }
    return count;
  }

  std::vector<at::Tensor> inputs(int64_t memory_bytes, int* files) const {
    SweepNetwork network;
    std::vector<at::Tensor> seen;
    SweepOptions options = options_of({{Weights::kQuantized, true}, {Weights::kOriginal, false}});
    options.memory_bytes = memory_bytes;
    sweep(network, options, network.units(), Batches(), [&](const SweepStop& stop) {
      seen.push_back(whole_input(stop, 0));
      seen.push_back(whole_output(stop, 1));
      *files = open_files();
      change(stop);
    });
    return seen;
  }

  TemporaryFolder folder_;
};

TEST_F(SpillingSweep, GivesTheSameBitsWhateverTheBudget) {
  int files = 0;
  const std::vector<at::Tensor> in_memory = inputs(int64_t{1} << 30, &files);
  EXPECT_EQ(files, 0);
  for (const int64_t budget : {0, 50000}) {
    const std::vector<at::Tensor> spilled = inputs(budget, &files);
    EXPECT_EQ(files, 1);
    ASSERT_EQ(spilled.size(), in_memory.size());
    for (size_t i = 0; i < spilled.size(); ++i) EXPECT_TRUE(at::equal(spilled[i], in_memory[i]));
  }
  EXPECT_EQ(open_files(), 0);
}

TEST_F(SpillingSweep, LeavesNoFileBehindWhenItIsInterrupted) {
  SweepNetwork network;
  SweepOptions options = options_of({{}});
  options.memory_bytes = 0;
  EXPECT_THROW(sweep(network, options, network.units(), Batches(),
                     [&](const SweepStop&) {
                       EXPECT_EQ(open_files(), 1);
                       EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
                       throw QuantizationError("stop");
                     }),
               QuantizationError);
  EXPECT_EQ(open_files(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(SpillingSweep, SaysInOneSentenceWhereItCannotWrite) {
  setenv("TMPDIR", (folder_.path() + "/missing").c_str(), 1);
  int files = 0;
  try {
    inputs(0, &files);
    FAIL();
  } catch (const OutputError& error) {
    EXPECT_NE(std::string(error.what()).find("missing"), std::string::npos);
  }
}

}  // namespace
}  // namespace ptq::runtime
