#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "import/imported.h"

namespace ptq::import {
namespace {

using support::ScriptModel;

constexpr const char* kReluForward = R"(
    def forward(self, x):
      return torch.relu(x)
)";

constexpr const char* kConvForward = R"(
    def forward(self, x):
      return torch.conv2d(x, self.weight, self.bias)
)";

void make_conv(ScriptModel& conv) {
  conv.parameter("weight", at::randn({3, 3, 1, 1})).parameter("bias", at::randn({3}));
  conv.code(kConvForward);
}

TEST(Naming, GivesLeafModulesTheirPathAndFunctionsTheirModuleAndWord) {
  ScriptModel conv, relu, block, model;
  make_conv(conv);
  relu.code(kReluForward);
  block.child("conv", conv).child("act", relu).code(R"(
    def forward(self, x):
      x = x + self.act.forward(self.conv.forward(x))
      return x + x
  )");
  model.child("layer1", block).code(R"(
    def forward(self, x):
      return torch.flatten(self.layer1.forward(x), 1)
  )");
  const Imported imported(model);
  EXPECT_EQ(imported.nodes(),
            "conv layer1.conv; relu layer1.act; add layer1.add; add layer1.add_1; reshape flatten");
  EXPECT_EQ(imported.node("layer1.conv").as<ir::Conv>()->weight.name, "layer1.conv.weight");
  EXPECT_EQ(imported.node("layer1.conv").as<ir::Conv>()->bias->name, "layer1.conv.bias");
  EXPECT_EQ(imported.node("layer1.add").module, "layer1");
  EXPECT_EQ(imported.node("flatten").module, "");
  imported.expect_same_as_module();
}

TEST(Naming, CountsTheCallsOfASharedModule) {
  ScriptModel conv, relu, model;
  make_conv(conv);
  relu.code(kReluForward);
  model.child("conv", conv).child("conv_again", conv).child("act", relu).code(R"(
    def forward(self, x):
      x = self.act.forward(self.conv.forward(x))
      x = self.act.forward(self.conv_again.forward(x))
      return x.mean([2, 3])
  )");
  const Imported imported(model);
  EXPECT_EQ(imported.nodes(), "conv conv; relu act; conv conv_1; relu act_1; mean mean");
  const auto* second = imported.node("conv_1").as<ir::Conv>();
  EXPECT_EQ(second->weight.name, "conv.weight");
  EXPECT_EQ(second->weight.value.data_ptr(),
            imported.node("conv").as<ir::Conv>()->weight.value.data_ptr());
  imported.expect_same_as_module();
}

TEST(Naming, NamesAProjectionAfterItsWeight) {
  ScriptModel projection, model;
  projection.parameter("weight", at::randn({4, 4})).code(R"(
    def forward(self, x):
      return torch.linear(x, self.weight)
  )");
  model.parameter("in_proj_weight", at::randn({4, 192}));
  model.child("out_proj", projection).code(R"(
    def forward(self, x):
      x = torch.linear(x.flatten(1), self.in_proj_weight)
      return torch.linear(x, self.out_proj.weight)
  )");
  const Imported imported(model);
  EXPECT_EQ(imported.nodes(), "reshape flatten; linear in_proj; linear out_proj");
  imported.expect_same_as_module();
}

TEST(Naming, FindsAWeightThatIsTransposedTwice) {
  ScriptModel model;
  model.parameter("head_weight", at::randn({4, 192})).parameter("head_bias", at::randn({4}));
  model.code(R"(
    def forward(self, x):
      return torch.addmm(self.head_bias, x.flatten(1), self.head_weight.t())
  )");
  const Imported imported(model);
  EXPECT_EQ(imported.nodes(), "reshape flatten; linear head");
  EXPECT_EQ(imported.node("head").as<ir::Linear>()->weight.name, "head_weight");
  imported.expect_same_as_module();
}

TEST(Naming, KeepsTheNameOfAnExpandedClassToken) {
  ScriptModel model;
  model.parameter("class_token", at::randn({1, 1, 64}));
  model.code(R"(
    def forward(self, x):
      token = self.class_token.expand(x.size(0), -1, -1)
      return torch.cat([token, x.flatten(2)], 1).mean([2])
  )");
  const Imported imported(model);
  EXPECT_EQ(imported.nodes(),
            "reshape flatten; constant class_token; expand expand; concat cat; mean mean");
  const ir::Dims expected{{1, true}, {1, false}, {64, false}};
  EXPECT_EQ(imported.node("expand").as<ir::Expand>()->shape, expected);
  EXPECT_EQ(imported.node("class_token").as<ir::Constant>()->value.value.size(0), 1);
  imported.expect_same_as_module();
}

TEST(Naming, MarksShapesThatGrowWithTheBatch) {
  const Imported imported(R"(
    def forward(self, x):
      x = x.view(x.size(0) * 3, -1)
      return x.view(-1, 192)
  )");
  const auto& values = imported.graph().values;
  const auto shape_of = [&](const std::string& name) {
    return values[static_cast<size_t>(imported.node(name).output())].shape;
  };
  EXPECT_EQ(shape_of("view"), (ir::Dims{{3, true}, {64, false}}));
  EXPECT_EQ(shape_of("view_1"), (ir::Dims{{1, true}, {192, false}}));
  EXPECT_EQ(values[static_cast<size_t>(imported.graph().input)].shape,
            (ir::Dims{{1, true}, {3, false}, {8, false}, {8, false}}));
  imported.expect_same_as_module();
}

}  // namespace
}  // namespace ptq::import
