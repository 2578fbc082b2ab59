#include "import/imported.h"

namespace ptq::import {
namespace {

TEST(ControlFlow, TakesTheBranchOfAConstantCondition) {
  const Imported model(R"(
    def forward(self, x):
      if x.size(2) == 8:
        y = torch.relu(x)
      else:
        y = torch.sigmoid(x)
      return y.mean([2, 3])
  )");
  EXPECT_EQ(model.nodes(), "relu relu; mean mean");
  model.expect_same_as_module();
}

TEST(ControlFlow, UnrollsLoopsWithTripCountAndCondition) {
  const Imported model(R"(
    def forward(self, x):
      i = 0
      while i < 2:
        x = x + 1.5
        i += 1
      for j in range(2):
        x = x * float(j + 2)
      return x.mean([2, 3])
  )");
  EXPECT_EQ(model.nodes(),
            "add_scalar add; add_scalar add_1; mul_scalar mul; mul_scalar mul_1; mean mean");
  model.expect_same_as_module();
}

TEST(ControlFlow, FollowsTensorsThroughListsTuplesAndDicts) {
  const Imported model(R"(
    def forward(self, x):
      parts = [x]
      parts.append(torch.relu(x))
      both = (parts[1], parts[0])
      a, b = both
      named = {"a": a, "b": b}
      for part in torch.chunk(named["b"], 3, 1):
        parts.append(part)
      y = torch.cat(parts, 1)
      return y.mean([2, 3])
  )");
  EXPECT_EQ(model.nodes(),
            "relu relu; slice chunk; slice chunk_1; slice chunk_2; concat cat; mean mean");
  model.expect_same_as_module();
}

TEST(ControlFlow, RunsMethodsOfTheModuleAndOptionalArguments) {
  const Imported model(R"(
    def scaled(self, x, by: Optional[float] = None):
      if by is None:
        return x
      return x * by
    def forward(self, x, factor: float = 2.0):
      x = self.scaled(self.scaled(x), factor)
      return x.mean([2, 3])
  )");
  EXPECT_EQ(model.nodes(), "mul_scalar mul; mean mean");
  model.expect_same_as_module();
}

TEST(ControlFlow, AnswersQuestionsAboutTypesAndShapes) {
  const Imported model(R"(
    def forward(self, x):
      n, c = x.shape[0], x.shape[1]
      if isinstance(x, Tensor) and x.dim() == 4 and x.is_floating_point():
        x = x.view(n, c * 4, -1)
      return x.sum([2])
  )");
  EXPECT_EQ(model.nodes(), "reshape view; opaque sum");
  const ir::Dims expected{{1, true}, {12, false}, {16, false}};
  EXPECT_EQ(model.node("view").as<ir::Reshape>()->shape, expected);
  model.expect_same_as_module();
}

TEST(ControlFlow, TakesTheFirstOfATupleWhoseRestIsNone) {
  const Imported model(R"(
    def forward(self, x):
      aux: Optional[Tensor] = None
      return x.mean([2, 3]), aux
  )");
  model.expect_same_as_module();
}

TEST(ControlFlow, PutsAModelInTrainingModeIntoEvaluation) {
  support::ScriptModel model;
  model.attribute("training", true);
  model.code(R"(
    def forward(self, x):
      x = torch.dropout(x, 0.5, self.training)
      return x.mean([2, 3])
  )");
  const Imported imported(model);
  EXPECT_EQ(imported.nodes(), "mean mean");
  imported.expect_same_as_module();
}

}  // namespace
}  // namespace ptq::import
