#include <gmock/gmock.h>

#include "cli/program_fixture.h"

// Steps that are to keep what the float network computes, and ReLU6.
namespace ptq::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class FloatFunction : public Program {};

TEST_F(FloatFunction, ComparesStepsWithTheFloatNetwork) {
  const json report = report_of({"--act-equalization", "fx"});
  std::vector<std::string> steps;
  for (const json& row : report.at("function")) {
    steps.push_back(row.at("step"));
    EXPECT_EQ(row.at("images"), 20) << "all there are";
    EXPECT_EQ(row.at("agreeing"), 20);
    EXPECT_GT(row.at("lowest_sqnr_db").get<double>(), 80) << steps.back();
    EXPECT_TRUE(row.at("is_rounding").get<bool>());
  }
  EXPECT_EQ(steps,
            (std::vector<std::string>{"preparation", "equalize-graph", "equalize-activations"}));
}

/// tiny.pt has nothing to split.
TEST_F(FloatFunction, ComparesSplittingWithTheFloatNetwork) {
  Arguments arguments = good_but("--model", PTQ_DEMO_MODEL);
  arguments.insert(arguments.end(), {"--channel-splitting-ratio", "0.1", "--skip-float", "--report",
                                     path("report.json")});
  const json report = report_of_exactly(arguments);
  EXPECT_GT(report.at("techniques").at("split_channels").at("channels"), 0);
  const json& row = report.at("function").back();
  EXPECT_EQ(row.at("step"), "split-channels");
  EXPECT_EQ(row.at("agreeing"), row.at("images"));
  EXPECT_TRUE(row.at("is_rounding").get<bool>());
}

TEST_F(FloatFunction, ReplacesRelu6WhereThatChangesNothing) {
  const json report = report_of();
  EXPECT_EQ(report.at("relu6").at("becomes"), "relu");
  EXPECT_TRUE(report.at("relu6").at("replaced").at("is_rounding").get<bool>());
  EXPECT_EQ(report.at("relu6"), report_of({"--seed", "123456"}).at("relu6"));
}

/// So small a deviation makes values that exceed 6.
const Arguments kLoud = {"--std", "0.02", "0.02", "0.02"};

TEST_F(FloatFunction, KeepsRelu6WhereReluWouldChangeTheNetwork) {
  const json report = report_of(kLoud);
  EXPECT_EQ(report.at("relu6").at("becomes"), "relu6");
  EXPECT_FALSE(report.at("relu6").at("replaced").at("is_rounding").get<bool>());
  EXPECT_TRUE(report.at("function").front().at("is_rounding").get<bool>());
  EXPECT_EQ(report.at("warnings").dump().find("preparation"), std::string::npos);
}

TEST_F(FloatFunction, WarnsOfAStepThatChangesTheFloatNetwork) {
  Arguments loud = kLoud;
  loud.insert(loud.end(), {"--relu6", "relu"});
  const json report = report_of(loud);
  const json& row = report.at("function").front();
  EXPECT_EQ(row.at("step"), "preparation");
  EXPECT_EQ(row.at("passes"), json{"relu6-to-relu"});
  EXPECT_FALSE(row.at("is_rounding").get<bool>());
  EXPECT_THAT(report.at("warnings").dump(), HasSubstr("preparation (relu6-to-relu) changes"));
  EXPECT_THAT(report.at("guards").dump(), Not(HasSubstr("relu6-to-relu")));
  loud.push_back("--strict");
  const support::ProgramResult strict = run(good(loud));
  EXPECT_EQ(strict.exit_code, 1) << strict.out;
  EXPECT_THAT(strict.out, HasSubstr("preparation (relu6-to-relu) changes"));
}

}  // namespace
}  // namespace ptq::cli
