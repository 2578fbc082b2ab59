#include "golden/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ptq::golden {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Differences : public ::testing::Test {
 protected:
  static json ours(const char* kind, const char* name, const json& scale, bool is_signed = true) {
    return {{"kind", kind},        {"name", name},          {"scale", scale},
            {"signed", is_signed}, {"narrow_range", false}, {"bit_width", 8}};
  }
  static json theirs(const char* kind, const char* name, const json& scale, bool is_signed = true) {
    json entry = ours(kind, name, scale, is_signed);
    entry["bit_width"] = 8.0;
    return entry;
  }
  static std::vector<std::string> between(const std::vector<json>& dump,
                                          const std::vector<json>& quantizers) {
    return differences(json(dump), {{"quantizers", json(quantizers)}}, 1e-4);
  }
};

TEST_F(Differences, AreNoneForTheSameQuantizers) {
  EXPECT_THAT(
      between({ours("weight", "a.0", 0.5), ours("bias", "a.0", 0.25),
               ours("activation", "a.1", 0.1), ours("activation", "add", 2.00001)},
              {theirs("weight", "a.0.weight_quant", 0.5), theirs("bias", "a.0.bias_quant", 0.25),
               theirs("act", "a.1.act_quant", 0.1), theirs("act", "add_3_quant.act_quant", 2.0),
               json{{"name", "unused_quant.act_quant"}, {"kind", "act"}}}),
      IsEmpty());
}

TEST_F(Differences, ShowScalesAndSigns) {
  EXPECT_THAT(between({ours("weight", "a", 0.501)}, {theirs("weight", "a.weight_quant", 0.5)}),
              SizeIs(2));
  EXPECT_THAT(
      between({ours("activation", "a", 0.5, false)}, {theirs("act", "add_quant.act_quant", 0.5)}),
      ElementsAre(HasSubstr("reference only"), HasSubstr("dump only")));
}

TEST_F(Differences, ShowActivationsOfOneModuleThatDiffer) {
  EXPECT_THAT(between({ours("activation", "a", 0.5), ours("activation", "b", 0.7)},
                      {theirs("act", "a.act_quant", 0.7), theirs("act", "b.act_quant", 0.5)}),
              SizeIs(4));
}

TEST_F(Differences, CompareChannelsInNestedLists) {
  const json column = json::parse("[[[[0.5]]], [[[0.25]]]]");
  EXPECT_THAT(
      between({ours("weight", "a", {0.5, 0.25})}, {theirs("weight", "a.weight_quant", column)}),
      IsEmpty());
  EXPECT_THAT(
      between({ours("weight", "a", {0.5, 0.26})}, {theirs("weight", "a.weight_quant", column)}),
      SizeIs(2));
}

TEST_F(Differences, ShowLayersThatOnlyOneSideQuantizes) {
  EXPECT_THAT(between({}, {theirs("weight", "a.weight_quant", 0.5)}),
              ElementsAre(HasSubstr("reference only: weight a ")));
  EXPECT_THAT(between({ours("bias", "a", 0.5)}, {}), ElementsAre(HasSubstr("dump only: bias a ")));
}

}  // namespace
}  // namespace ptq::golden
