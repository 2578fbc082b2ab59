#include <ATen/ops/randn.h>

#include "import/imported.h"

namespace ptq::import {
namespace {

using support::ScriptModel;

constexpr const char* kHead = "  return torch.linear(y.flatten(2).mean([2]), self.fc)\n";

/// forward with a convolution and a linear layer of half, bfloat16 or double weights.
ScriptModel& cast_model(ScriptModel& model, at::ScalarType type, const std::string& lines) {
  model.parameter("conv", at::randn({4, 3, 3, 3}).to(type));
  model.parameter("fc", at::randn({5, 4}).to(type));
  model.code("def forward(self, x):\n" + lines + kHead);
  return model;
}

/// What the same code computes with float32 weights and without casts.
void expect_float32(const Imported& imported, const std::string& note) {
  ASSERT_EQ(imported.notes().size(), 1U);
  EXPECT_EQ(imported.notes()[0], note);
  EXPECT_EQ(imported.nodes(), "conv conv2d; relu relu; reshape flatten; mean mean; linear linear");
}

TEST(Precision, OfAHalfModelThatCastsItsInputIsFloat32) {
  ScriptModel model;
  cast_model(model, at::kHalf, "  y = torch.relu(torch.conv2d(torch.to(x, 5), self.conv))\n");
  expect_float32(Imported(model),
                 "the model holds or computes float16 numbers; it runs in float32 "
                 "here");
}

TEST(Precision, OfACastToTheTypeOfAWeightIsFloat32) {
  ScriptModel model;
  cast_model(model, at::kBFloat16,
             "  y = torch.relu(torch.conv2d(torch.to(x, self.conv.dtype), self.conv)).float()\n");
  expect_float32(Imported(model),
                 "the model holds or computes bfloat16 numbers; it runs in "
                 "float32 here");
}

TEST(Precision, OfCastsInsideAFloatModelIsFloat32) {
  ScriptModel model;
  cast_model(model, at::kFloat,
             "  y = torch.relu(torch.conv2d(torch.to(x, 15), torch.to(self.conv, 15)))\n"
             "  y = torch.to(y, 6)\n");
  const Imported imported(model);
  ASSERT_EQ(imported.notes().size(), 1U);
  EXPECT_EQ(imported.nodes(), "conv conv2d; relu relu; reshape flatten; mean mean; linear linear");
}

TEST(Precision, OfDoubleIsFloat32) {
  ScriptModel model;
  cast_model(model, at::kDouble, "  y = torch.relu(torch.conv2d(torch.to(x, 7), self.conv))\n");
  expect_float32(Imported(model),
                 "the model holds or computes float64 numbers; it runs in float32 "
                 "here");
}

TEST(Precision, OfAFloat32ModelIsNotMentioned) {
  ScriptModel model;
  cast_model(model, at::kFloat, "  y = torch.relu(torch.conv2d(x.float(), self.conv))\n");
  EXPECT_TRUE(Imported(model).notes().empty());
}

}  // namespace
}  // namespace ptq::import
