#include <ATen/ops/ones.h>

#include "import/imported.h"

namespace ptq::import {
namespace {

using support::ScriptModel;

TEST(Refusal, OfTwoInputs) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x, y):
      return (x + y).mean([2, 3])
  )"),
            "forward takes 2 inputs (x, y) instead of one batch of images");
}

TEST(Refusal, OfAListOfImages) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x: List[Tensor]):
      return x[0].mean([2, 3])
  )"),
            "forward takes a List[Tensor] instead of a tensor of images");
}

TEST(Refusal, OfAModelWithoutForward) {
  EXPECT_EQ(refusal_of(R"(
    def encode(self, x):
      return x
  )"),
            "has no forward method");
}

TEST(Refusal, OfADictOutput) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      return {"logits": x.mean([2, 3])}
  )"),
            "forward returns a Dict[str, Tensor] instead of one tensor, given images [2, 3, 8, 8]");
}

TEST(Refusal, OfTwoOutputs) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      return x.mean([2, 3]), x
  )"),
            "forward returns a tuple of 2 values instead of one tensor, given images [2, 3, 8, 8]");
}

TEST(Refusal, OfAnOutputThatIsNoRowOfLogits) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      return x.relu()
  )"),
            "forward returns [2, 3, 8, 8] for 2 images instead of one row of logits per image");
}

TEST(Refusal, OfAConstantOutput) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      return torch.ones([x.size(0), 10])
  )"),
            "forward's output does not depend on the images, given images [2, 3, 8, 8]");
}

TEST(Refusal, NamesTheLayerThatWantsOtherChannels) {
  ScriptModel conv, model;
  conv.parameter("weight", at::ones({4, 1, 3, 3})).code(R"(
    def forward(self, x):
      return torch.conv2d(x, self.weight)
  )");
  model.child("stem", conv).code(R"(
    def forward(self, x):
      return self.stem.forward(x).mean([2, 3])
  )");
  const std::string refusal = refusal_of(model);
  EXPECT_EQ(refusal.rfind("stem.conv2d (aten::conv2d) fails: Given groups=1, weight of size", 0),
            0U)
      << refusal;
  EXPECT_NE(refusal.find("to have 1 channels, but got 3 channels instead"), std::string::npos);
}

TEST(Refusal, QuotesWhatTheModelRaises) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      assert x.size(2) == 224, "images must be 224 pixels high"
      return x.mean([2, 3])
  )"),
            "forward stops with \"AssertionError: images must be 224 pixels high\", given images "
            "[2, 3, 8, 8]");
}

TEST(Refusal, OfABatchSizeBakedIntoATrace) {
  const std::string refusal = refusal_of(R"(
    def forward(self, x):
      return x.view([4, 3, 64]).mean([2])
  )");
  EXPECT_EQ(
      refusal.rfind("view (aten::view) fails: shape '[4, 3, 64]' is invalid for input of size "
                    "384, perhaps because the model was traced with a fixed batch size",
                    0),
      0U)
      << refusal;
}

TEST(Refusal, OfABatchSizeThatMixesImages) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      return x.mean([2, 3]).view([1, -1])
  )"),
            "forward returns [1, 6] for 2 images instead of one row of logits per image");
}

TEST(Refusal, OfAConstantThatCountsTheBatch) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      return x.mean([2, 3]) + torch.arange(x.size(0)).unsqueeze(1)
  )"),
            "constant: a constant depends on the batch size in a way that a graph cannot follow; "
            "the network must treat every image the same way");
}

TEST(Refusal, OfAConstantThatHoldsTheNumberOfImages) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      return x.mean([2, 3]) + torch.ones([x.size(0), 1]).cumsum(0)[-1:].expand(x.size(0), 1)
  )"),
            "constant: a constant depends on the batch size in a way that a graph cannot follow; "
            "the network must treat every image the same way");
}

TEST(Refusal, OfANumberThatIsNotProportionalToTheBatch) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      return x.mean([2, 3]) * (1.0 / float(x.size(0)))
  )"),
            "mul: an attribute depends on the batch size in a way that a graph cannot follow; the "
            "network must treat every image the same way");
}

/// A forward that looks at the images of a batch one by one.
struct Loop {
  const char* lines;
  const char* node;
  /// What it makes of two and of three images.
  const char* counts;
};

std::ostream& operator<<(std::ostream& out, const Loop& shown) { return out << shown.lines; }

class OfALoopOverTheBatch : public ::testing::TestWithParam<Loop> {};

TEST_P(OfALoopOverTheBatch, NamesTheOperator) {
  EXPECT_EQ(refusal_of("def forward(self, x):\n" + std::string(GetParam().lines)),
            std::string(GetParam().node) + " takes the images of a batch apart (" +
                GetParam().counts +
                "), which a graph for any number of images cannot follow; the network must run all "
                "images of a batch together");
}

INSTANTIATE_TEST_SUITE_P(
    Refusal, OfALoopOverTheBatch,
    ::testing::Values(
        Loop{"  rows: List[Tensor] = []\n  for i in range(x.size(0)):\n"
             "    rows.append(x[i:i + 1].mean([2, 3]))\n  return torch.cat(rows, 0)\n",
             "slice (slice)", "[1, 3, 8, 8] of 2 images, [1, 3, 8, 8] of 3"},
        Loop{"  rows: List[Tensor] = []\n  for y in x:\n    rows.append(y.mean([1, 2]))\n"
             "  return torch.stack(rows)\n",
             "select (select)", "[3, 8, 8] of 2 images, [3, 8, 8] of 3"},
        Loop{"  rows: List[Tensor] = []\n  for y in torch.relu(x).unbind(0):\n"
             "    rows.append(y.mean([1, 2]))\n  return torch.stack(rows)\n",
             "unbind (select)", "[3, 8, 8] of 2 images, [3, 8, 8] of 3"},
        Loop{"  a, b = x.chunk(2, 0)\n  return torch.cat([a, b], 0).mean([2, 3])\n",
             "chunk (slice)", "[1, 3, 8, 8] of 2 images, [2, 3, 8, 8] of 3"},
        Loop{"  rows: List[Tensor] = []\n  for y in torch.split(x, 1, 0):\n"
             "    rows.append(y.mean([2, 3]))\n  return torch.cat(rows)\n",
             "split (slice)", "[1, 3, 8, 8] of 2 images, [1, 3, 8, 8] of 3"},
        Loop{"  return torch.stack([x[0].mean([1, 2]), x[1].mean([1, 2])])\n", "select (select)",
             "[3, 8, 8] of 2 images, [3, 8, 8] of 3"},
        Loop{"  n = x.size(0) // 2\n  return torch.cat([x[:n], x[n:]]).mean([2, 3])\n",
             "slice (slice)", "[1, 3, 8, 8] of 2 images, [1, 3, 8, 8] of 3"},
        Loop{"  rows: List[Tensor] = []\n  for i in range(x.size(0)):\n"
             "    rows.append(torch.index_select(x, 0, torch.tensor([i])).mean([2, 3]))\n"
             "  return torch.cat(rows)\n",
             "index_select (aten::index_select)", "[1, 3, 8, 8] of 2 images, [1, 3, 8, 8] of 3"},
        Loop{"  rows = torch.zeros([x.size(0), 3])\n  y = x.mean([2, 3])\n"
             "  for i in range(x.size(0)):\n    rows[i] = y[i]\n  return rows\n",
             "select (select)", "[3] of 2 images, [3] of 3"}));

TEST(Refusal, OfADecisionByPixelValues) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      if bool(x.sum() > 0):
        x = torch.relu(x)
      return x.mean([2, 3])
  )"),
            "Bool (aten::Bool) makes a decision from pixel values, which a graph cannot follow, "
            "given images [2, 3, 8, 8]");
}

TEST(Refusal, OfRandomNumbers) {
  EXPECT_EQ(
      refusal_of(R"(
    def forward(self, x):
      return (x + torch.rand_like(x)).mean([2, 3])
  )"),
      "rand_like draws random numbers; a classifier in evaluation mode must not, given images "
      "[2, 3, 8, 8]");
}

TEST(Refusal, OfATraceOfTheTrainingMode) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      return torch.dropout(x, 0.5, True).mean([2, 3])
  )"),
            "dropout runs as in training: it drops at random (p 0.5); export the model after "
            "model.eval(), given images [2, 3, 8, 8]");
}

}  // namespace
}  // namespace ptq::import
