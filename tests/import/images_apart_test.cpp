#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>

#include "import/imported.h"

namespace ptq::import {
namespace {

using support::ScriptModel;

/// A model's forward that ends in these lines.
std::string forward(const std::string& lines) { return "def forward(self, x):\n" + lines; }

std::string meeting_at(const std::string& node) {
  return node +
         ": the images of a batch influence each other; the network must treat every image alike";
}

struct Mixing {
  const char* lines;
  const char* node;
};

std::ostream& operator<<(std::ostream& out, const Mixing& shown) { return out << shown.lines; }

class OfImagesThatMeet : public ::testing::TestWithParam<Mixing> {};

TEST_P(OfImagesThatMeet, NamesTheOperator) {
  EXPECT_EQ(refusal_of(forward(GetParam().lines)), meeting_at(GetParam().node));
}

INSTANTIATE_TEST_SUITE_P(
    Refusal, OfImagesThatMeet,
    ::testing::Values(
        Mixing{"  return (x - x.mean([0], True)).mean([2, 3])\n", "mean (mean)"},
        Mixing{"  return (x - torch.amax(x, [0], True)).mean([2, 3])\n", "amax (aten::amax)"},
        Mixing{"  return torch.softmax(x, 0).mean([2, 3])\n", "softmax (softmax)"},
        Mixing{"  return x.mean([2, 3]).cumsum(0)\n", "cumsum (aten::cumsum)"},
        Mixing{"  y = x.mean([2, 3])\n  return y + torch.roll(y, 1, 0)\n", "roll (aten::roll)"},
        Mixing{"  y = x.mean([2, 3])\n  return torch.matmul(torch.softmax(torch.matmul(y, y.t()), "
               "-1), y)\n",
               "matmul (matmul)"},
        Mixing{"  y = x.mean([2, 3])\n  return y + y.mean([0], True) * 1e-4\n", "mean_1 (mean)"},
        Mixing{"  y = x.mean([2, 3])\n  return torch.where(y > y.mean(), y, -y)\n",
               "mean_1 (aten::mean)"},
        Mixing{"  y = x.mean([2, 3])\n  return torch.logcumsumexp(y, 0)\n",
               "logcumsumexp (aten::logcumsumexp)"},
        Mixing{"  y = x.mean([2, 3])\n  return y + torch.einsum(\"bc,bd->cd\", [y, y]).sum([0])\n",
               "einsum (matmul)"},
        Mixing{"  y = x.mean([2, 3])\n  return y[torch.argsort(y[:, 0])]\n", "index (aten::index)"},
        Mixing{"  y = x.reshape([1, -1, 8, 8])\n"
               "  return torch.group_norm(y, 1).reshape([-1, 3, 8, 8]).mean([2, 3])\n",
               "group_norm (aten::group_norm)"},
        Mixing{"  return torch.sort(x.mean([2, 3]), 0)[0]\n", "sort (aten::sort)"},
        Mixing{"  return x.mean([2, 3]) / x.norm()\n", "norm (aten::norm)"}));

TEST(Refusal, OfImagesInEachOthersPlaces) {
  EXPECT_EQ(refusal_of(forward("  return x.mean([2, 3]).flip([0])\n")),
            meeting_at("flip (aten::flip)"));
}

/// Pictures as they usually are show nothing here: a clamp, a comparison or a rounding hides what
/// comes from the other image.
INSTANTIATE_TEST_SUITE_P(
    HiddenRefusal, OfImagesThatMeet,
    ::testing::Values(
        Mixing{"  y = x.mean([2, 3])\n  return y - y[:1].clamp(max=-300)\n", "sub (sub)"},
        Mixing{"  y = x.mean([2, 3])\n  return y + torch.relu(y[1:2] - 300)\n", "add (add)"},
        Mixing{"  y = torch.relu(x.mean([2, 3]) - 300)\n  return x.mean([2, 3]) + y * y[:1]\n",
               "mul (mul)"},
        Mixing{"  y = x.mean([2, 3])\n  return (y - y[:1]).clamp(max=-300)\n", "sub (sub)"},
        Mixing{
            "  y = torch.relu(x.mean([2, 3]) - 300)\n  return x.mean([2, 3]) + y.roll([1], [0])\n",
            "roll (aten::roll)"},
        Mixing{"  y = torch.relu(x.mean([2, 3]) - 300)\n  return y.cumsum(0)\n",
               "cumsum (aten::cumsum)"},
        Mixing{"  y = torch.relu(x.mean([2, 3]) - 300)\n  return y.flip([0])\n",
               "flip (aten::flip)"},
        Mixing{"  y = torch.relu(x.mean([2, 3]) - 300)\n  return torch.sort(y, 0)[0]\n",
               "sort (aten::sort)"},
        Mixing{"  y = torch.relu(x.mean([2, 3]) - 300)\n  return y[:1].expand([x.size(0), 3])\n",
               "expand (expand)"},
        Mixing{"  y = x.mean([2, 3])\n  return torch.where(y > 300, y, y[:1])\n",
               "where (aten::where)"},
        Mixing{"  y = x.mean([2, 3])\n  return y + (y[:1] > 300).float()\n", "add (add)"},
        Mixing{"  y = torch.relu(x.mean([2, 3]) - 300)\n"
               "  i = torch.zeros([x.size(0), 3]).long()\n"
               "  return x.mean([2, 3]) + torch.gather(y, 0, i)\n",
               "gather (aten::gather)"},
        Mixing{"  y = torch.relu(x.mean([2, 3]) - 300)\n"
               "  return x.mean([2, 3]) + torch.matmul(torch.softmax(torch.matmul(y, y.t()), 1), "
               "y)\n",
               "matmul (matmul)"},
        Mixing{
            "  y = torch.relu(torch.log(x.mean([2, 3]).abs()) - 300)\n  return y + y.mean([0])\n",
            "mean_1 (mean)"}));

/// Noise has no answers here: logarithms of what is below zero.
TEST(Refusal, OfImagesThatMeetWhereNoiseGivesNoNumbers) {
  const std::string log = "  y = torch.log(x * 0.5 + 0.5).mean([2, 3])\n";
  EXPECT_EQ(refusal_of(forward(log + "  return y - y.mean([0])\n")), meeting_at("mean_1 (mean)"));
  EXPECT_TRUE(Imported(forward(log + "  return y - y.mean([1], True)\n")).notes().empty());
  EXPECT_TRUE(Imported(forward("  return torch.log(-x * x).mean([2, 3])\n")).notes().empty());
  EXPECT_EQ(refusal_of(forward("  y = torch.log(-x * x).mean([2, 3])\n  return y - y.mean([0])\n")),
            meeting_at("mean_1 (mean)"));
}

/// Sums of some channels may be below zero where those of all are not.
TEST(Refusal, OfImagesThatMeetWhereSampledProductsGiveNoNumbers) {
  const std::string log =
      "  y = torch.log(torch.matmul(x.flatten(1).abs() + 1.0, torch.eye(192)))\n";
  EXPECT_EQ(refusal_of(forward(log + "  return y - y.mean([0])\n")), meeting_at("mean (mean)"));
  EXPECT_TRUE(Imported(forward(log + "  return y\n")).notes().empty());
}

TEST(Refusal, OfABatchNormThatUsesTheBatch) {
  EXPECT_EQ(refusal_of(forward("  return torch.batch_norm(x, None, None, None, None, True, 0.1, "
                               "1e-5, False).mean([2])[:, :, 0]\n")),
            "batch_norm (aten::batch_norm): batch norm without running statistics uses those of "
            "the batch, so the images of a batch influence each other; the network must treat "
            "every image alike");
}

/// Folded into channels, each image has statistics of its own: an instance norm.
TEST(Import, TakesABatchNormOverChannelsOfSingleImages) {
  const Imported model(
      forward("  y = x.reshape([1, x.size(0) * 3, 8, 8])\n"
              "  y = torch.batch_norm(y, None, None, None, None, True, 0.1, 1e-5, False)\n"
              "  return torch.relu(y.reshape([-1, 3, 8, 8])).mean([2, 3])\n"));
  model.expect_close_to_module(1e-6);
}

/// What cancels out leaves images apart.
TEST(Import, TakesAMaximumOfTheBatchUnderASoftmax) {
  const Imported model(
      forward("  y = x.mean([2, 3]) * 3.0\n  return torch.softmax(y - y.max(), 1)\n"));
  model.expect_close_to_module(1e-5);
}

struct Apart {
  const char* lines;
};

std::ostream& operator<<(std::ostream& out, const Apart& shown) { return out << shown.lines; }

class ImagesApart : public ::testing::TestWithParam<Apart> {};

TEST_P(ImagesApart, AreTaken) {
  const Imported model(forward(std::string("  n = x.size(0)\n") + GetParam().lines));
  model.expect_close_to_module(1e-5);
}

INSTANTIATE_TEST_SUITE_P(
    Import, ImagesApart,
    ::testing::Values(
        Apart{"  return torch.relu(x.flip([0])).flip([0]).mean([2, 3])\n"},
        Apart{"  y = x.reshape([1, n * 3, 8, 8])\n"
              "  return torch.max_pool2d(y, [2, 2]).reshape([n, 3, 4, 4]).mean([2, 3])\n"},
        Apart{"  y = x.reshape([n, 3, 2, 4, 2, 4]).permute([2, 4, 0, 1, 3, 5]).reshape([4 * n, 3, "
              "16])\n"
              "  y = torch.matmul(torch.softmax(torch.matmul(y, y.transpose(1, 2)), -1), y)\n"
              "  return y.reshape([4, n, 3, 16]).mean([0, 3])\n"},
        Apart{"  y = x.mean([2, 3])\n  return torch.softmax(y - y.max(0)[0].max(), 1)\n"},
        Apart{"  y = x.mean([2, 3])\n  z = torch.cat([y, y * 2.0])\n"
              "  return z[:n] + z[n:].flip([1])\n"},
        Apart{"  y = x.flatten(2)\n  v, i = y.topk(4, 2)\n"
              "  return torch.gather(y, 2, i).cumsum(2).sum([2])\n"},
        Apart{"  y = torch.stack([x, x.flip([3])], 0).flatten(0, 1)\n"
              "  return torch.where(y > 0, y, y * y).reshape([2, n, 3, 64]).mean([0, 3])\n"}));

/// timm's ScaledStdConv2d and StdConv2d: weights normalized in every forward, also in evaluation.
TEST(Import, ComputesWeightsThatDoNotDependOnImages) {
  ScriptModel model;
  model.parameter("weight", at::randn({4, 3, 3, 3})).parameter("gain", at::rand({4, 1, 1, 1}));
  model.code(forward(
      "  w = torch.batch_norm(self.weight.reshape([1, 4, -1]), None, None, None, None, True, 0.0, "
      "1e-6, False).reshape(self.weight.size()) * self.gain\n"
      "  return torch.relu(torch.conv2d(x, w)).mean([2, 3])\n"));
  const Imported imported(model);
  EXPECT_EQ(imported.nodes(), "conv conv2d; relu relu; mean mean");
  imported.expect_same_as_module();
}

TEST(Import, TakesConvolutionsOfManyChannels) {
  ScriptModel model;
  model.parameter("first", at::randn({48, 3, 3, 3})).parameter("next", at::randn({8, 48, 1, 1}));
  model.code(
      forward("  x = torch.relu(torch.conv2d(x, self.first))\n"
              "  return torch.conv2d(x, self.next).mean([2, 3])\n"));
  Imported(model).expect_same_as_module();
}

TEST(Import, ComputesASpectrallyNormalizedWeight) {
  ScriptModel model;
  model.parameter("weight", at::randn({4, 3})).buffer("u", at::randn({4}));
  model.code(
      forward("  v = torch.mv(self.weight.t(), self.u)\n"
              "  sigma = torch.dot(self.u, torch.mv(self.weight, v / v.norm()))\n"
              "  return torch.linear(x.mean([2, 3]), self.weight / sigma)\n"));
  const Imported imported(model);
  EXPECT_EQ(imported.nodes(), "mean mean; linear linear");
  imported.expect_same_as_module();
}

struct Random {
  const char* expression;
  const char* refusal;
};

std::ostream& operator<<(std::ostream& out, const Random& shown) { return out << shown.expression; }

class OfChance : public ::testing::TestWithParam<Random> {};

TEST_P(OfChance, NamesTheOperator) {
  const std::string refusal =
      refusal_of(forward(std::string("  return (") + GetParam().expression + ").mean([2, 3])\n"));
  EXPECT_EQ(refusal, GetParam().refusal + std::string(", given images [2, 3, 8, 8]"));
}

INSTANTIATE_TEST_SUITE_P(
    Refusal, OfChance,
    ::testing::Values(
        Random{"torch.rrelu(x, 0.1, 0.3, True)",
               "rrelu runs as in training: it draws random numbers; export the model after "
               "model.eval()"},
        Random{"torch.alpha_dropout(x, 0.25, True)",
               "alpha_dropout runs as in training: it drops at random (p 0.25); export the model "
               "after model.eval()"},
        Random{"torch.bernoulli(torch.sigmoid(x))",
               "bernoulli draws random numbers; a classifier in evaluation mode must not"},
        Random{"x + torch.zeros_like(x).exponential_()",
               "exponential draws random numbers; a classifier in evaluation mode must not"},
        Random{"torch.poisson(torch.relu(x))",
               "poisson draws random numbers; a classifier in evaluation mode must not"}));

TEST(Import, TakesAnRreluOfTheEvaluationMode) {
  Imported(forward("  return torch.rrelu(x, 0.1, 0.3, False).mean([2, 3])\n"))
      .expect_same_as_module();
}

TEST(Refusal, OfAValueCountThatPixelsDecide) {
  EXPECT_EQ(refusal_of(forward("  return x.mean([2, 3]) + x[x > 0].mean()\n")),
            "index (aten::index) gives as many values as pixels say, which a graph cannot follow, "
            "given images [2, 3, 8, 8]");
}

}  // namespace
}  // namespace ptq::import
