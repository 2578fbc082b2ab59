#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "ptq/base/error.h"
#include "support/program.h"
#include "support/temporary_folder.h"

// The gate on a real network and 300 photographs.
namespace ptq::golden {
namespace {

using ::testing::HasSubstr;

class RealGate : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* data = std::getenv("PTQ_TEST_DATA");
    if (data == nullptr) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
    data_ = data;
  }

  support::ProgramResult run(const std::vector<std::string>& more) const {
    const std::string images = data_ + "/data/imagenet-sample/";
    std::vector<std::string> all = {"--model",
                                    data_ + "/models/squeezenet1_1.pt",
                                    "--calibration-dir",
                                    images + "calibration",
                                    "--validation-dir",
                                    images + "validation",
                                    "--calibration-sampling",
                                    "random",
                                    "--calibration-samples",
                                    "100"};
    all.insert(all.end(), more.begin(), more.end());
    return support::run_program(PTQ_PROGRAM, all);
  }

  std::string data_;
  support::TemporaryFolder folder_;
};

// 300 images cannot vouch for half a point; five points are told from none.
TEST_F(RealGate, PassesAnotherSeedAndFailsFourBitWeights) {
  const std::string baseline = folder_.path() + "/w8.csv";
  const auto first = run({"--skip-float", "--seed", "1", "--save-predictions", baseline});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const auto second = run({"--seed", "2", "--baseline", baseline, "--max-drop", "5"});
  EXPECT_EQ(second.exit_code, 0) << second.out << second.err;
  EXPECT_THAT(second.out, HasSubstr("gate        pass: "));
  const auto four = run({"--skip-float", "--seed", "1", "--weight-bit-width", "4", "--baseline",
                         baseline, "--max-drop", "5"});
  EXPECT_EQ(four.exit_code, static_cast<int>(ExitCode::kGateFailed)) << four.out << four.err;
}

}  // namespace
}  // namespace ptq::golden
