// Sensitivities and budgets, from the command line to files.
#include <gmock/gmock.h>

#include <algorithm>

#include "program_fixture.h"

namespace ptq::cli {
namespace {

using ::testing::HasSubstr;

class BitsProgram : public Program {};

TEST_F(BitsProgram, WritesSensitivities) {
  const auto report = report_of({"--sensitivity", path("s.csv"), "--candidate-bits", "W3,W8,A4"});
  const std::string table = support::content_of(path("s.csv"));
  EXPECT_THAT(table, HasSubstr("kind,group,layers,bits,divergence,sqnr_db,estimate\nweight,"));
  EXPECT_THAT(table, HasSubstr("\nactivation,"));
  const auto lines = std::count(table.begin(), table.end(), '\n') - 1;
  EXPECT_EQ(static_cast<size_t>(lines), report["sensitivity"]["rows"].size());
  EXPECT_TRUE(report["bits"].is_null());
}

TEST_F(BitsProgram, GoesOnWithTheBitsThatItSaves) {
  const auto chosen = report_of({"--weight-budget", "3.5", "--save-layer-bits", path("bits.yaml"),
                                 "--gptq", "--dump-logits", path("first.npy")});
  EXPECT_LE(chosen["bits"]["mean_weight_bits"], 3.5);
  const auto again =
      report_of({"--config", path("bits.yaml"), "--gptq", "--dump-logits", path("second.npy")});
  EXPECT_EQ(support::content_of(path("first.npy")), support::content_of(path("second.npy")));
  EXPECT_EQ(again["config"]["layer_bits"].size(), chosen["bits"]["layer_bits"].size());
}

TEST_F(BitsProgram, RefusesBudgetsByTheirFlag) {
  const auto refusal = [&](const Arguments& more) {
    const auto result = run(good(more));
    EXPECT_EQ(result.exit_code, static_cast<int>(ExitCode::kUsage)) << result.err;
    return result.err;
  };
  EXPECT_THAT(refusal({"--weight-budget", "2.5", "--candidate-bits", "W3,W4"}),
              HasSubstr("--weight-budget"));
  EXPECT_THAT(refusal({"--size-budget", "10"}), HasSubstr("--size-budget"));
  EXPECT_THAT(refusal({"--size-budget", "3 apples"}), HasSubstr("--size-budget '3 apples'"));
  EXPECT_THAT(refusal({"--bitops-budget", "0.01"}), HasSubstr("--bitops-budget"));
  EXPECT_THAT(refusal({"--sensitivity", path("s.csv"), "--candidate-bits", "W4,B3"}),
              HasSubstr("--candidate-bits 'W4,B3'"));
}

}  // namespace
}  // namespace ptq::cli
