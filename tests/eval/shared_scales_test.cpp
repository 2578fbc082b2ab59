#include "eval/shared_scales.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/graph_builder.h"

namespace ptq::eval {
namespace {

using ptq::testing::GraphBuilder;
using ptq::testing::normals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// add(Q(images), Q(images * factor)), with one scale for both that reaches `reach`.
class SharedScale {
 public:
  SharedScale(double factor, double reach, bool shared = true) {
    const ir::ValueId input = builder_.input();
    const double scale = reach / 128;
    const ir::ValueId a = builder_.fake_quantize(input, scale);
    const ir::ValueId b =
        builder_.fake_quantize(builder_.add(ir::MulScalar{factor}, {input}), scale);
    builder_.finish(builder_.add(ir::Reshape{{{1, true}, {192, false}}},
                                 {builder_.add(ir::Add{}, {a, b}, "residual")}));
    if (shared) builder_.table.at(1).scale = builder_.table.at(0).scale;
  }

  std::vector<UnevenAdd> uneven(bool compile = true) const {
    runtime::Execution execution;
    execution.compile = compile;
    return uneven_adds(builder_, images_, execution);
  }
  double largest() const { return images_.abs().max().item<double>(); }

 private:
  GraphBuilder builder_;
  at::Tensor images_ = normals({4, 3, 8, 8}, 1, 1);
};

TEST(UnevenAdds, AreNamedWithWhatTheyLose) {
  for (const bool compile : {true, false}) {
    const SharedScale network(16, 24);
    const auto adds = network.uneven(compile);
    ASSERT_EQ(adds.size(), 1U);
    EXPECT_EQ(adds[0].name, "residual");
    EXPECT_NEAR(adds[0].wide, 16 * network.largest(), 1e-4);
    EXPECT_NEAR(adds[0].narrow, network.largest(), 1e-6);
    EXPECT_NEAR(adds[0].scale, 24, 1e-6);
    EXPECT_GT(adds[0].lost, 20);
  }
}

TEST(UnevenAdds, AreNoneWhereTheScaleReachesAll) {
  // The narrow operand's codes are few, but the sum does not notice.
  EXPECT_THAT(SharedScale(16, 64).uneven(), IsEmpty());
  EXPECT_THAT(SharedScale(1.5, 5).uneven(), IsEmpty());
}

TEST(UnevenAdds, AreNoneWhereTheScaleIsTooSmallForBoth) {
  EXPECT_THAT(SharedScale(1.5, 1).uneven(), IsEmpty());
}

TEST(UnevenAdds, AreNoneWhereScalesAreTheirOwn) {
  EXPECT_THAT(SharedScale(16, 24, false).uneven(), IsEmpty());
}

TEST(UnevenAdds, AreNoneWhereOneIsAConstant) {
  GraphBuilder builder;
  const ir::ValueId large = builder.constant(normals({1, 3, 8, 8}, 16, 2));
  const ir::ValueId sum = builder.add(
      ir::Add{}, {builder.fake_quantize(builder.input(), 0.2), builder.fake_quantize(large, 0.2)});
  builder.table.at(1).scale = builder.table.at(0).scale;
  builder.finish(builder.add(ir::Reshape{{{1, true}, {192, false}}}, {sum}));
  EXPECT_THAT(uneven_adds(builder, normals({4, 3, 8, 8}, 1, 1), {}), IsEmpty());
}

/// Like SharedScale, with a scale that reaches all, and something that reads the smaller as well.
std::vector<UnevenAdd> uneven_beside_reader(double factor) {
  GraphBuilder builder;
  const double scale = 4 * factor / 128;
  const ir::ValueId a = builder.fake_quantize(builder.input(), scale);
  const ir::ValueId b =
      builder.fake_quantize(builder.add(ir::MulScalar{factor}, {builder.input()}), scale);
  builder.table.at(1).scale = builder.table.at(0).scale;
  const ir::ValueId sum = builder.add(ir::Add{}, {a, b}, "residual");
  const ir::ValueId both =
      builder.add(ir::Concat{1}, {sum, builder.add(ir::Relu{}, {a}, "reader")});
  builder.finish(builder.add(ir::Reshape{{{1, true}, {384, false}}}, {both}));
  return uneven_adds(builder, normals({4, 3, 8, 8}, 1, 1), {});
}

/// The sum does not notice that its small operand is gone, but what else reads it does.
TEST(UnevenAdds, AreNamedWhereAnotherReaderLoses) {
  const auto adds = uneven_beside_reader(1000);
  ASSERT_EQ(adds.size(), 1U);
  EXPECT_EQ(adds[0].name, "residual");
  EXPECT_EQ(adds[0].reader, "reader");
  EXPECT_GT(adds[0].lost, 30);
}

TEST(UnevenAdds, AreNoneWhereAnotherReaderKeepsEnough) {
  EXPECT_THAT(uneven_beside_reader(16), IsEmpty());
}

TEST(UnevenAdds, AreSaidInOneSentence) {
  EXPECT_THAT(words(std::vector<UnevenAdd>()), IsEmpty());
  EXPECT_THAT(words({{"a.add", 32.5, 2, 12, 9.25, "fft"}}),
              ElementsAre(::testing::HasSubstr("12, which costs fft 9.25 dB; ")));
  EXPECT_THAT(words({{"a.add", 32.5, 2, 12, 9.25, ""}, {"b.add", 8, 4, 2, 7, ""}}),
              ElementsAre("a.add adds values that reach 32.5 and 2 (16.2 to 1) with one scale that "
                          "reaches 12, which costs the sum 9.25 dB (adds like it: 1 more); "
                          "--residual-adds wide gives operands scales of their own"));
}

}  // namespace
}  // namespace ptq::eval
