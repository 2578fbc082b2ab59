#include "import/imported.h"

namespace ptq::import {
namespace {

TEST(InPlace, RebindsATensorAndKeepsWhatWasReadBefore) {
  const Imported model(R"(
    def forward(self, x):
      y = torch.sigmoid(x)
      z = y * 2.0
      torch.relu_(y)
      y.add_(z)
      return y.mean([2, 3])
  )");
  EXPECT_EQ(model.nodes(), "sigmoid sigmoid; mul_scalar mul; relu relu; add add; mean mean");
  EXPECT_EQ(model.node("add").inputs,
            (std::vector<ir::ValueId>{model.node("relu").output(), model.node("mul").output()}));
  model.expect_same_as_module();
}

TEST(InPlace, FollowsATensorThatAListHolds) {
  const Imported model(R"(
    def forward(self, x):
      y = x * 2.0
      kept = [y, x]
      z = torch.relu_(y)
      return torch.cat([kept[0], z], 1).mean([2, 3])
  )");
  const ir::ValueId relu = model.node("relu").output();
  EXPECT_EQ(model.node("cat").inputs, (std::vector<ir::ValueId>{relu, relu}));
  model.expect_same_as_module();
}

TEST(InPlace, AllowsAWriteThroughAViewWhenOnlyTheViewIsReadAgain) {
  const Imported model(R"(
    def forward(self, x):
      y = (x * 2.0).flatten(1)
      torch.relu_(y)
      return y
  )");
  EXPECT_EQ(model.nodes(), "mul_scalar mul; reshape flatten; relu relu");
  model.expect_same_as_module();
}

/// Forwards that write into parts of tensors and read the whole, or the other way round.
class WriteThroughAView : public ::testing::TestWithParam<const char*> {};

TEST_P(WriteThroughAView, IsSeenByAllThatShareTheMemory) {
  const Imported model(std::string("def forward(self, x):\n") + GetParam());
  model.expect_same_as_module();
}

INSTANTIATE_TEST_SUITE_P(
    InPlace, WriteThroughAView,
    ::testing::Values(
        // The memory itself is the answer.
        "  y = torch.zeros([x.size(0), 3])\n  y[:, :2] = x.mean([2, 3])[:, :2]\n  return y\n",
        // A constant written into activations; a part read after the whole was written.
        "  y = x * 2.0\n  y[:, 0] = 1.0\n  return y.mean([2, 3])\n",
        "  y = x * 2.0\n  part = y[:, 0]\n  torch.relu_(y)\n  return part.mean([2])\n",
        // Temporal shifts: disjoint slices of zeros, all of the result.
        "  y = torch.sigmoid(x)\n  out = torch.zeros_like(y)\n  out[:, :1, 1:] = y[:, :1, :-1]\n"
        "  out[:, 1:2, :-1] = y[:, 1:2, 1:]\n  out[:, 2:] = y[:, 2:]\n  return out.mean([3])[:, :, "
        "2] + out[:, :, 0, 0]\n",
        // Added to parts of zeros that overlap; spread over a part of memory that held nothing.
        "  out = torch.zeros_like(x)\n  out[:, :, 1:] += x[:, :, :-1]\n"
        "  out[:, :, :-1] += x[:, :, 1:]\n  return out.mean([2]).mean([2])\n",
        "  out = torch.empty_like(x)\n  out[:, :, :4] = x.mean([2], True)\n"
        "  out[:, :, 4:] = x[:, :, 4:]\n  return out.amax([2]).amax([2])\n",
        // A class token into a buffer made for it.
        "  y = x.flatten(2)\n  out = torch.ones([x.size(0), 4, 64])\n  out[:, 1:] = y\n"
        "  return out.mean([2])\n",
        // A write through a transpose, and one through a view of a view.
        "  y = x * 2.0\n  y.transpose(2, 3)[:, :, 1].mul_(3.0)\n  return y[:, :, 0]  .mean([2])\n",
        "  y = x * 2.0\n  z = y[:, 1:]\n  z[:, :, 2:4] += 1.0\n  return y.mean([2, 3])\n"));

/// Overlapping patches and windows, read from memory with strides of their own.
class AsStrided : public ::testing::TestWithParam<const char*> {};

TEST_P(AsStrided, ReadsTheMemoryOfTheModel) {
  const Imported model(std::string("def forward(self, x):\n") + GetParam());
  model.expect_same_as_module();
  const auto plan = runtime::make_plan(model.graph(), {runtime::Numerics::kFloat, {}, 1});
  const auto interpreter =
      runtime::make_interpreter(model.graph(), {runtime::Numerics::kFloat, {}, 1});
  const at::Tensor images = at::randn({5, 3, kImageSize, kImageSize});
  EXPECT_LE(plan->run(images).sub(interpreter->run(images)).abs().max().item<float>(), 1e-5F);
}

INSTANTIATE_TEST_SUITE_P(
    InPlace, AsStrided,
    ::testing::Values(
        "  y = torch.max_pool2d(torch.sigmoid(x), [3, 3], [1, 1], [1, 1])\n"
        "  p = y.as_strided([x.size(0), 3, 2, 2, 4, 4], [192, 64, 32, 4, 8, 1])\n"
        "  return p[:, :, 0, 1].mean([2, 3])\n",
        "  y = torch.max_pool2d(x, [3, 3], [1, 1], [1, 1])\n"
        "  s = y.stride()\n"
        "  return y.as_strided([x.size(0), 3, 5, 8], [s[0], s[1], s[2], s[3]]).mean([2, 3])\n",
        // Of a transposed tensor, and of a part of one.
        "  y = torch.max_pool2d(x, [3, 3], [1, 1], [1, 1]).permute(0, 2, 3, 1).contiguous()\n"
        "  return y.permute(0, 3, 1, 2).as_strided([x.size(0), 24], [192, 1])\n",
        "  y = torch.max_pool2d(x, [3, 3], [1, 1], [1, 1])[:, 1:]\n"
        "  return y.as_strided([x.size(0), 16], [192, 8], 64)\n"));

TEST(InPlace, RunsWritesIntoConstantsWhileImporting) {
  const Imported model(R"(
    def forward(self, x):
      mask = torch.zeros([8, 8])
      count = 1.0
      for rows in [0, 4]:
        mask[rows:rows + 4] = count
        count += 1.0
      return (x * mask).mean([2, 3])
  )");
  EXPECT_EQ(model.nodes(), "constant constant; mul mul; mean mean");
  model.expect_same_as_module();
}

TEST(InPlace, KeepsAConstantAsItWasWhenItWasRead) {
  const Imported model(R"(
    def forward(self, x):
      mask = torch.ones([8, 8])
      y = x * mask
      mask.add_(1.0)
      return (y * mask).mean([2, 3])
  )");
  model.expect_same_as_module();
}

TEST(InPlace, CopiesOverAConstant) {
  const Imported model(R"(
    def forward(self, x):
      y = torch.zeros_like(x)
      y.copy_(x)
      y.mul_(3.0)
      return y.mean([2, 3])
  )");
  EXPECT_EQ(model.nodes(), "mul_scalar mul; mean mean");
  model.expect_same_as_module();
}

}  // namespace
}  // namespace ptq::import
