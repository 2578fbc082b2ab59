#include "parity/parting.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "support/graph_builder.h"

namespace ptq::parity {
namespace {

using ptq::testing::GraphBuilder;

constexpr double kScale = 0.125;

/// A file whose only quantizer gives `quantized` for any image.
class OtherModel final : public exporting::ExportedModel {
 public:
  OtherModel(at::Tensor quantized, at::Tensor logits)
      : quantized_(std::move(quantized)), logits_(std::move(logits)) {}

  at::Tensor run(const at::Tensor&) override { return logits_; }
  exporting::NamedValues values(const at::Tensor&, const std::vector<std::string>& names) override {
    return {{names.front(), quantized_}, {names.back(), logits_}};
  }

 private:
  at::Tensor quantized_;
  at::Tensor logits_;
};

/// One quantizer, one layer, and an image of which one value is not a multiple of the scale.
class Partings : public ::testing::Test {
 protected:
  Partings() {
    const ir::ValueId quantized = builder_.fake_quantize(builder_.input(), kScale);
    network_.graph = builder_.finish(builder_.linear(builder_.flatten(quantized), 10));
    network_.table = builder_.table;
    finder_.emplace(Stream{network_, false, 1});
  }

  at::Tensor image(double odd) const {
    at::Tensor pixels = at::full({1, 3, 4, 4}, 2 * kScale);
    pixels[0][1][2][3] = odd;
    return pixels;
  }
  at::Tensor logits(double odd) const {
    return runtime::make_interpreter(network_, {})->run(image(odd));
  }
  /// Where ours holds `odd` and the other made `theirs` of it.
  std::optional<Parting> find(double odd, double theirs) {
    OtherModel other(image(theirs), logits(odd));
    return finder_->find(other, image(odd), logits(odd), logits(odd));
  }

  GraphBuilder builder_{{3, 4, 4}};
  QuantizedNetwork network_;
  std::optional<PartingFinder> finder_;
};

TEST_F(Partings, AtATieIsNextToTheBoundary) {
  const auto parting = find(2.5001 * kScale, 2 * kScale);
  ASSERT_TRUE(parting);
  EXPECT_EQ(parting->node, network_.graph.nodes.front().name);
  EXPECT_EQ(parting->codes, 48);
  EXPECT_EQ(parting->differing, 1);
  EXPECT_NEAR(parting->from_boundary, 1e-4, 1e-6);
  EXPECT_TRUE((Disagreement{"", 1, parting}).is_tie());
}

TEST_F(Partings, ForAnotherReasonAreNoTies) {
  const auto far = find(2.25 * kScale, 3 * kScale);
  ASSERT_TRUE(far);
  EXPECT_NEAR(far->from_boundary, 0.25, 1e-6);
  EXPECT_FALSE((Disagreement{"", 0, far}).is_tie());
  const auto two_codes = find(2.5001 * kScale, 5 * kScale);
  ASSERT_TRUE(two_codes);
  EXPECT_FALSE((Disagreement{"", 0, two_codes}).is_tie());
}

TEST_F(Partings, AreNoneWhereAllCodesAreTheSame) {
  const auto none = find(2.25 * kScale, 2 * kScale);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->node, "");
  EXPECT_TRUE((Disagreement{"", 1e-6, none}).is_tie());
  EXPECT_FALSE((Disagreement{"", 1e-2, none}).is_tie());
}

TEST_F(Partings, AreNotLookedForInAStreamThatNamesAnotherClass) {
  OtherModel other(image(0), logits(0));
  const at::Tensor ours = logits(0);
  EXPECT_TRUE(finder_->find(other, image(0), ours, ours));
  EXPECT_FALSE(finder_->find(other, image(0), ours, ours.neg()));
  EXPECT_FALSE((Disagreement{"", 0, {}}).is_tie());
}

}  // namespace
}  // namespace ptq::parity
