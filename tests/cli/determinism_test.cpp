// The same seed gives the same bytes, however the work is shared out.

#include <gmock/gmock.h>

#include "cli/program_fixture.h"

namespace ptq::cli {
namespace {

using ::testing::HasSubstr;

class Determinism : public Program {};

TEST_F(Determinism, HoldsForEveryTechnique) {
  const std::vector<Arguments> techniques = {
      {"--gptq", "--gpxq-act-order", "--weight-bit-width", "4"},
      {"--gpfq", "--bias-corr", "--act-equalization", "layerwise"},
      {"--qronos", "--target-backend", "layerwise"},
      {"--learned-round", "linear_round", "--learned-round-iters", "20"},
      {"--target-backend", "flexml", "--scale-factor-type", "po2_scale"},
      {"--calibrate-bn", "--no-merge-bn", "--channel-splitting-ratio", "0.5"}};
  for (Arguments arguments : techniques) {
    arguments.emplace_back("--verify-determinism");
    const support::ProgramResult result = run(good(arguments));
    EXPECT_EQ(result.exit_code, 0) << arguments.front() << ": " << result.err;
    EXPECT_THAT(result.out, HasSubstr("both runs wrote the same bytes")) << arguments.front();
  }
}

TEST_F(Determinism, HoldsForWhatBitsAreChosenBy) {
  const support::ProgramResult result =
      run(good({"--verify-determinism", "--sensitivity", path("s.csv"), "--candidate-bits",
                "W2,W4,W8", "--weight-budget", "4", "--save-layer-bits", path("b.yaml"), "--pareto",
                "3,5", "--save-pareto", path("p.csv")}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("both runs wrote the same bytes"));
}

TEST_F(Determinism, HoldsForExportedFiles) {
  const support::ProgramResult result =
      run(good({"--verify-determinism", "--export-onnx-qcdq", "--export-torch-qcdq", "--export-dir",
                folder_.path()}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("both runs wrote the same bytes"));
}

}  // namespace
}  // namespace ptq::cli
