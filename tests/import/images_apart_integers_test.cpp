#include <ATen/ops/randn.h>

#include "import/imported.h"

/// Integers among the images of a batch: numbers that count the images, counts, places.
namespace ptq::import {
namespace {

std::string counting(const std::string& lines) {
  return "def forward(self, x):\n  n = x.size(0)\n" + lines;
}

std::string meeting_of_integers(const std::string& node) {
  return node +
         ": the images of a batch influence each other; the network must treat every image alike";
}

struct Counting {
  const char* lines;
  const char* node;
};

std::ostream& operator<<(std::ostream& out, const Counting& shown) { return out << shown.lines; }

class OfIntegersThatMeet : public ::testing::TestWithParam<Counting> {};

TEST_P(OfIntegersThatMeet, NamesTheOperator) {
  EXPECT_EQ(refusal_of(counting(GetParam().lines)), meeting_of_integers(GetParam().node));
}

/// Integers that are all equal on test pictures: counts, places, and what is computed from them.
INSTANTIATE_TEST_SUITE_P(
    Refusal, OfIntegersThatMeet,
    ::testing::Values(
        Counting{"  c = (x.amax([1, 2, 3]) > 300).long().cumsum(0)\n"
                 "  return x.mean([2, 3]) + torch.arange(9)[c].unsqueeze(1)\n",
                 "cumsum (aten::cumsum)"},
        Counting{"  c = (x.amax([1, 2, 3]) > 300).long().sum()\n  return x.mean([2, 3]) + c\n",
                 "sum (aten::sum)"},
        Counting{"  i = torch.relu(x.mean([2, 3]) - 300).argmax(1).cumsum(0)\n"
                 "  return x.mean([2, 3]) + torch.arange(9)[i].unsqueeze(1)\n",
                 "cumsum (aten::cumsum)"},
        Counting{"  i = (x.mean([2, 3]) * 0.01).floor().long()\n"
                 "  return x.mean([2, 3]) + (i + i.roll([1], [0])).clamp(5, 9).float()\n",
                 "roll (aten::roll)"},
        Counting{"  i = torch.relu(x.mean([2, 3]) * 0.01).floor().long()\n"
                 "  return x.mean([2, 3]) + (i * i[:1]).float()\n",
                 "mul_1 (aten::mul)"},
        Counting{"  i = torch.relu(x.mean([2, 3]) * 0.01).floor().long()\n"
                 "  return x.mean([2, 3]) + i.max().float()\n",
                 "max (aten::max)"}));

TEST(Import, TakesCountsOfEachImage) {
  Imported(counting("  i = (x.mean([2, 3]) * 0.01).floor().long()\n"
                    "  return x.mean([2, 3]) + i.cumsum(1).clamp(5, 9).float()\n"))
      .expect_close_to_module(1e-5);
}

TEST(Refusal, OfIntegersThatDifferFromImageToImage) {
  EXPECT_EQ(
      refusal_of(counting("  return x[torch.arange(n) % 2, :, 0, 0]\n")),
      "constant holds integers that differ from image to image, and not as numbers that count "
      "the images do, which a graph for any number of images cannot follow");
}

/// Tokens as DynamicViT and others select them: each image's own, by numbers that count the images.
TEST(Import, TakesIntegersThatCountTheImages) {
  for (const char* lines :
       {"  return x[torch.arange(n), :, 0, 0]\n",
        "  y = x.flatten(2).transpose(1, 2)\n  i = y.sum([2]).topk(5, 1)[1]\n"
        "  return y[torch.arange(n).unsqueeze(1), i].mean([1])\n",
        "  y = x.flatten(2).transpose(1, 2)\n  i = y.sum([2]).argmax(1)\n"
        "  return y[torch.arange(n), i]\n",
        "  y = x.flatten(2).transpose(1, 2)\n  i = torch.argsort(y[:, :, 0], 1)[:, :7]\n"
        "  i = (i + torch.arange(n).view([n, 1]) * 64).reshape([-1])\n"
        "  return y.reshape([n * 64, 3])[i].reshape([n, 7, 3]).mean([1])\n",
        "  y = x.flatten(2).transpose(1, 2)\n"
        "  i = torch.arange(n * 4) * 16 + 3\n"
        "  return y.reshape([n * 64, 3]).index_select(0, i).reshape([n, 4, 3]).mean([1])\n"}) {
    const Imported model(counting(lines));
    model.expect_same_as_module();
    const auto plan = runtime::make_plan(model.graph(), {runtime::Numerics::kFloat, {}, 1});
    const auto interpreter =
        runtime::make_interpreter(model.graph(), {runtime::Numerics::kFloat, {}, 1});
    const at::Tensor images = at::randn({7, 3, kImageSize, kImageSize});
    EXPECT_TRUE(plan->run(images).allclose(interpreter->run(images), 1e-5, 1e-6)) << lines;
  }
}

TEST(Refusal, OfImagesThatMeetThroughIntegersThatCountThem) {
  EXPECT_EQ(refusal_of(counting(
                "  y = torch.relu(x.mean([2, 3]) - 300)\n"
                "  return x.mean([2, 3]) + y.reshape([-1])[torch.arange(n).unsqueeze(1) * 2]\n")),
            meeting_of_integers("index (aten::index)"));
}

}  // namespace
}  // namespace ptq::import
