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

TEST(InPlace, RefusesToReadTheWholeAfterAWriteToAPart) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      y = x * 2.0
      y[:, 0] = 1.0
      return y.mean([2, 3])
  )"),
            "forward writes into a part of a tensor and reads the whole afterwards, or the other "
            "way round; such writes through a view are not supported, given images [2, 3, 8, 8]");
}

TEST(InPlace, RefusesToReadAPartAfterAWriteToTheWhole) {
  EXPECT_NE(refusal_of(R"(
    def forward(self, x):
      y = x * 2.0
      part = y[:, 0]
      torch.relu_(y)
      return part.mean([2])
  )")
                .find("writes through a view are not supported"),
            std::string::npos);
}

TEST(InPlace, RefusesAConstantThatImagesWereWrittenInto) {
  EXPECT_NE(refusal_of(R"(
    def forward(self, x):
      y = torch.zeros([3, 8, 8])
      y[0] = x[0, 0]
      z = y + 1.0
      return x.mean([2, 3]) + z.mean()
  )")
                .find("writes through a view are not supported"),
            std::string::npos);
}

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
