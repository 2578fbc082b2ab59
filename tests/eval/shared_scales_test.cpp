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

  std::vector<UnevenJoin> uneven(bool compile = true) const {
    runtime::Execution execution;
    execution.compile = compile;
    return uneven_joins(builder_, images_, execution);
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

/// What is joined, [1, 3, 8, 8] or one image's.
struct Part {
  double factor = 1;
  bool is_constant = false;
};

/// Joins Q(images * factor) or Q(constant), all on one scale that reaches `reach`.
std::vector<UnevenJoin> uneven_parts(const ir::Op& op, const std::vector<Part>& parts,
                                     double reach) {
  GraphBuilder builder;
  std::vector<ir::ValueId> values;
  for (const Part& part : parts) {
    const ir::ValueId value =
        part.is_constant
            ? builder.constant(normals({1, 3, 8, 8}, static_cast<float>(part.factor), 2))
            : builder.add(ir::MulScalar{part.factor}, {builder.input()});
    values.push_back(builder.fake_quantize(value, reach / 128));
    builder.table.quantizers.back().scale = builder.table.quantizers.front().scale;
  }
  const ir::ValueId joined = builder.add(op, values, "join");
  const bool concat = std::holds_alternative<ir::Concat>(op);
  const auto features = static_cast<int64_t>(concat ? 192 * parts.size() : 192);
  builder.finish(builder.add(ir::Reshape{{{1, true}, {features, false}}}, {joined}));
  return uneven_joins(builder, normals({4, 3, 8, 8}, 1, 1), {});
}

TEST(UnevenAdds, AreNamedWhereOneIsAConstant) {
  const auto adds = uneven_parts(ir::Add{}, {{1, false}, {16, true}}, 24);
  ASSERT_EQ(adds.size(), 1U);
  EXPECT_EQ(adds[0].kind, Join::kAddedConstant);
  EXPECT_GT(adds[0].lost, 10);
}

TEST(UnevenConcats, AreNamedWhereTheScaleClips) {
  const auto concats = uneven_parts(ir::Concat{1}, {{16}, {1}, {1}}, 16);
  ASSERT_EQ(concats.size(), 1U);
  EXPECT_EQ(concats[0].kind, Join::kConcat);
  EXPECT_EQ(concats[0].loser, "");
  EXPECT_GT(concats[0].lost, 15);
}

TEST(UnevenConcats, AreNamedWhereAPartIsHardlyThere) {
  const auto concats = uneven_parts(ir::Concat{1}, {{1000}, {1}}, 4000);
  ASSERT_EQ(concats.size(), 1U);
  EXPECT_THAT(concats[0].loser, ::testing::HasSubstr("fake_quantize"));
  EXPECT_GT(concats[0].lost, 30);
}

TEST(UnevenConcats, AreNoneWhereEveryPartKeepsEnough) {
  EXPECT_THAT(uneven_parts(ir::Concat{1}, {{8}, {1}}, 32), IsEmpty());
  EXPECT_THAT(uneven_parts(ir::Concat{1}, {{1.5}, {1}}, 2), IsEmpty());
}

/// Rounding before it or after it is the same.
TEST(UnevenAdds, AreFoundBehindWhatMovesAnOperand) {
  GraphBuilder builder;
  const double scale = 24.0 / 128;
  const ir::ValueId wide =
      builder.fake_quantize(builder.add(ir::MulScalar{16}, {builder.input()}), scale);
  const ir::ValueId narrow =
      builder.add(ir::Permute{{0, 1, 3, 2}}, {builder.fake_quantize(builder.input(), scale)});
  builder.table.at(1).scale = builder.table.at(0).scale;
  builder.finish(builder.add(ir::Reshape{{{1, true}, {192, false}}},
                             {builder.add(ir::Add{}, {wide, narrow}, "sum")}));
  const auto adds = uneven_joins(builder, normals({4, 3, 8, 8}, 1, 1), {});
  ASSERT_EQ(adds.size(), 1U);
  EXPECT_EQ(adds[0].name, "sum");
}

/// Like SharedScale, with a scale that reaches all, and something that reads the smaller as well.
std::vector<UnevenJoin> uneven_beside_reader(double factor) {
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
  return uneven_joins(builder, normals({4, 3, 8, 8}, 1, 1), {});
}

/// The sum does not notice that its small operand is gone, but what else reads it does.
TEST(UnevenAdds, AreNamedWhereAnotherReaderLoses) {
  const auto adds = uneven_beside_reader(1000);
  ASSERT_EQ(adds.size(), 1U);
  EXPECT_EQ(adds[0].name, "residual");
  EXPECT_EQ(adds[0].loser, "reader");
  EXPECT_GT(adds[0].lost, 30);
}

TEST(UnevenAdds, AreNoneWhereAnotherReaderKeepsEnough) {
  EXPECT_THAT(uneven_beside_reader(16), IsEmpty());
}

TEST(UnevenJoins, AreSaidInASentenceForEachOptionThatHelps) {
  EXPECT_THAT(words(std::vector<UnevenJoin>()), IsEmpty());
  EXPECT_THAT(words({{"a.add", Join::kResidual, 32.5, 2, 12, 9.25, "fft"}}),
              ElementsAre(::testing::HasSubstr("12, which costs fft 9.25 dB; ")));
  EXPECT_THAT(
      words({{"cat", Join::kConcat, 4, 0.5, 1, 30, ""},
             {"a.add", Join::kResidual, 32.5, 2, 12, 9.25, ""},
             {"b.add", Join::kResidual, 8, 4, 2, 7, ""},
             {"c.add", Join::kAddedConstant, 8, 4, 2, 7, ""}}),
      ElementsAre(
          "a.add adds values that reach 32.5 and 2 (16.2 to 1) with one scale that reaches "
          "12, which costs the sum 9.25 dB (and 1 more like it); --residual-adds wide gives "
          "operands scales of their own",
          "cat joins values that reach 4 and 0.5 (8 to 1) with one scale that reaches 1, "
          "which costs the concat 30 dB (and 1 more like it); --target-backend layerwise "
          "rounds the inputs of layers alone"));
}

}  // namespace
}  // namespace ptq::eval
