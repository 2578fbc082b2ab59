#include <gmock/gmock.h>

#include <algorithm>

#include "cli/program_fixture.h"

// What techniques say of the regions they found, on tiny.pt: stem and pointwise are added and feed
// depthwise and head; depthwise feeds pointwise.
namespace ptq::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class Explain : public Program {
 protected:
  static json layers(const json& region) {
    return {region.at("sources"), region.at("sinks"), region.at("channels")};
  }

  std::string printed(const Arguments& more) const {
    const support::ProgramResult result = run(good(more));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }
};

TEST_F(Explain, PrintsTheRegionsOfGraphEqualization) {
  const std::string out = printed({"--explain"});
  EXPECT_THAT(out, HasSubstr("  equalize-graph: block.pointwise, stem.0 -> block.depthwise, head: "
                             "8 channels, range ratio "));
  EXPECT_THAT(out, HasSubstr("  equalize-graph: block.depthwise -> block.pointwise: 8 channels, "));
  EXPECT_THAT(out, HasSubstr("  equalize-graph: leaves out head: head: its output leaves the "
                             "network"));
  EXPECT_THAT(printed({}), Not(HasSubstr(" -> ")));
}

TEST_F(Explain, PrintsTheRegionsOfActivationEqualization) {
  const std::string graph = printed({"--explain", "--act-equalization", "fx"});
  EXPECT_THAT(graph, HasSubstr("  equalize-activations: block.depthwise -> block.pointwise: 8 "
                               "channels, range ratio "));
  EXPECT_THAT(graph, HasSubstr("  equalize-activations: leaves out block.pointwise: "
                               "block.depthwise: convolutions and linear layers have their "
                               "channels at different places"));
  EXPECT_THAT(printed({"--explain", "--act-equalization", "layerwise"}),
              HasSubstr("  equalize-activations: -> head: 8 channels, range ratio "));
}

TEST_F(Explain, PrintsWhySplittingLeavesRegionsOut) {
  EXPECT_THAT(printed({"--explain", "--channel-splitting-ratio", "0.5"}),
              HasSubstr("  split-channels: leaves out block.pointwise: block.depthwise: "
                        "normalizations and grouped convolutions are not split"));
}

TEST_F(Explain, SaysWhatEachLayerComputesIn) {
  const std::string integers = printed({"--explain"});
  EXPECT_THAT(integers, HasSubstr("arithmetic: 4 of 4 layers on integers"));
  EXPECT_THAT(integers, HasSubstr("  arithmetic: block.depthwise runs on integers"));
  EXPECT_THAT(integers, HasSubstr("running     optimised plan, integer arithmetic, "));
  const std::string mixed = printed({"--explain", "--act-bit-width", "12"});
  EXPECT_THAT(mixed, HasSubstr("arithmetic: 0 of 4 layers on integers"));
  EXPECT_THAT(mixed,
              HasSubstr("  arithmetic: head runs on floats: its input has more than 8 bits"));
}

TEST_F(Explain, SaysWhereEverythingRunsInFloats) {
  const std::string floats = printed({"--explain", "--arithmetic", "float"});
  EXPECT_THAT(floats, HasSubstr("running     optimised plan, float arithmetic, "));
  EXPECT_THAT(floats, Not(HasSubstr("arithmetic: ")));
  const std::string interpreted = printed({"--explain", "--no-compile"});
  EXPECT_THAT(interpreted, HasSubstr("running     node by node, float arithmetic, "));
  EXPECT_THAT(interpreted, Not(HasSubstr("arithmetic: ")));
}

TEST_F(Explain, ReportsWhatLayersComputeIn) {
  const json report = report_of({});
  const json& arithmetic = report.at("arithmetic");
  EXPECT_EQ(arithmetic.at("on_integers"), 4);
  EXPECT_EQ(arithmetic.at("count"), 4);
  EXPECT_EQ(arithmetic.at("layers").at(0).at("layer"), "stem.0");
  EXPECT_EQ(report.at("resolved").at("arithmetic"), "integer");
  EXPECT_THAT(report.at("run_name").get<std::string>(), Not(HasSubstr("arithmetic")));
  const json floats = report_of({"--arithmetic", "float"});
  EXPECT_TRUE(floats.at("arithmetic").is_null());
  EXPECT_THAT(floats.at("run_name").get<std::string>(), HasSubstr("_arithmetic=float_"));
  EXPECT_EQ(report_of({"--no-compile"}).at("resolved").at("arithmetic"), "float");
}

TEST_F(Explain, ReportsTheRegions) {
  const json report = report_of({"--act-equalization", "fx", "--channel-splitting-ratio", "0.5"});
  const json& techniques = report.at("techniques");
  const json& graph = techniques.at("equalize_graph");
  ASSERT_EQ(graph.at("regions"), 2);
  const json& sum = graph.at("equalized").at(0);
  EXPECT_EQ(layers(sum), json::parse(R"([["block.pointwise", "stem.0"],
                                         ["block.depthwise", "head"], 8])"));
  for (const char* when : {"range_ratio_before", "range_ratio_after"}) {
    EXPECT_GT(sum.at(when).get<double>(), 1);
    EXPECT_EQ(graph.at(when), std::max(sum.at(when), graph.at("equalized").at(1).at(when)));
  }
  EXPECT_NE(sum.at("range_ratio_before"), sum.at("range_ratio_after"));
  const json& activations = techniques.at("equalize_activations");
  ASSERT_EQ(activations.at("equalized").size(), 1U);
  const json& inner = activations.at("equalized").at(0);
  EXPECT_EQ(layers(inner), json::parse(R"([["block.depthwise"], ["block.pointwise"], 8])"));
  EXPECT_EQ(activations.at("range_ratio_after"), inner.at("range_ratio_after"));
  EXPECT_EQ(techniques.at("split_channels").at("regions"), 0);
  EXPECT_EQ(techniques.at("split_channels").at("rejected").size(), 3U);
}

}  // namespace
}  // namespace ptq::cli
