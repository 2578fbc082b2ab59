#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <torch/version.h>

#include <algorithm>

#include "import/imported.h"

namespace ptq::import {
namespace {

using support::ScriptModel;

/// `expression` of x, flattened into logits.
std::string flattened(const std::string& expression) {
  return "def forward(self, x):\n  return (" + expression + ").flatten(1)\n";
}

struct Case {
  const char* expression;
  const char* node;
};

std::ostream& operator<<(std::ostream& out, const Case& shown) { return out << shown.expression; }

class LoweringOf : public ::testing::TestWithParam<Case> {};

TEST_P(LoweringOf, IsTypedAndTheSameAsTheModule) {
  const Imported imported(flattened(GetParam().expression));
  EXPECT_EQ(imported.nodes().substr(0, imported.nodes().find(';')), GetParam().node)
      << imported.nodes();
  imported.expect_same_as_module();
}

INSTANTIATE_TEST_SUITE_P(
    Elementwise, LoweringOf,
    ::testing::Values(
        Case{"torch.relu(x)", "relu relu"}, Case{"torch.hardtanh(x, 0.0, 6.0)", "relu6 hardtanh"},
        Case{"torch.clamp(x, 0, 6)", "relu6 clamp"}, Case{"torch.clamp(x, min=0)", "relu clamp"},
        Case{"torch.clip(x, 0, 6)", "relu6 clamp"}, Case{"torch.clamp(x, 0, 4)", "relu6 clamp"},
        Case{"torch.hardtanh(x, 0.0, 0.5)", "relu6 hardtanh"},
        Case{"torch.hardtanh(x, -1.0, 1.0)", "opaque hardtanh"},
        Case{"torch.clamp(x, max=0.5)", "opaque clamp"},
        Case{"torch.clamp(x, 0, -1)", "opaque clamp"}, Case{"torch.sigmoid(x)", "sigmoid sigmoid"},
        Case{"torch.silu(x)", "silu silu"}, Case{"torch.hardswish(x)", "hardswish hardswish"},
        Case{"torch.hardsigmoid(x)", "hardsigmoid hardsigmoid"}, Case{"torch.gelu(x)", "gelu gelu"},
        Case{"torch.gelu(x, approximate='tanh')", "gelu gelu"},
        Case{"torch.leaky_relu(x, 0.2)", "leaky_relu leaky_relu"},
        Case{"torch.softmax(x, -1)", "softmax softmax"}, Case{"x + x", "add add"},
        Case{"x - x * 2", "mul_scalar mul"}, Case{"x - 0.3", "add_scalar sub"},
        Case{"torch.sub(x, x, alpha=2)", "opaque sub"}, Case{"x / 8", "mul_scalar div"},
        Case{"x / 3", "constant constant"}, Case{"torch.rsub(x, 1)", "opaque rsub"},
        Case{"x * x", "mul mul"}, Case{"x * torch.tensor(0.1)", "mul_scalar mul"},
        Case{"torch.tanh(x)", "opaque tanh"}));

INSTANTIATE_TEST_SUITE_P(
    Shapes, LoweringOf,
    ::testing::Values(
        Case{"x.unsqueeze(1)", "reshape unsqueeze"},
        Case{"x.reshape(-1, 3, 64)", "reshape reshape"}, Case{"x[:, 1]", "select select"},
        Case{"x[:, :, -1]", "select select"}, Case{"x[:, :, 1:-1]", "slice slice"},
        Case{"x[:, :, ::2]", "slice slice"}, Case{"torch.narrow(x, 1, -2, 2)", "slice narrow"},
        Case{"x.transpose(-1, 1)", "permute transpose"},
        Case{"x.permute(0, 2, 3, 1)", "permute permute"},
        Case{"x.permute(0, 2, 3, 1).contiguous().view(x.size(0), -1)", "permute permute"},
        Case{"torch.split(x, [1, 2], 1)[1]", "slice split_1"},
        Case{"torch.split(x, 2, 1)[0]", "slice split"}, Case{"x.chunk(2, 3)[1]", "slice chunk_1"},
        Case{"torch.unbind(x, 1)[2]", "select unbind_2"},
        Case{"x.mean([2], True).expand_as(x)", "mean mean"},
        Case{"torch.cat([x, x], -1)", "concat cat"}, Case{"torch.stack([x, x], 1)", "opaque stack"},
        Case{"x.repeat(1, 2, 1, 1)", "opaque repeat"},
        Case{"torch.topk(x, 2, 1)[0]", "opaque topk"},
        Case{"torch.roll(x, [1, 2], [2, 3])", "opaque roll"},
        Case{"x[:, torch.tensor([2, 0])]", "constant constant"}));

INSTANTIATE_TEST_SUITE_P(
    Pooling, LoweringOf,
    ::testing::Values(
        Case{"torch.max_pool2d(x, [3, 3], [2, 2], [1, 1], [1, 1], True)", "max_pool max_pool2d"},
        Case{"torch.max_pool2d(x, 2)", "max_pool max_pool2d"},
        Case{"torch.avg_pool2d(x, [3, 3], [2, 2], [1, 1], True, False)", "avg_pool avg_pool2d"},
        Case{"torch.avg_pool2d(x, [2, 2], [2, 2], [0, 0], False, True, 3)", "avg_pool avg_pool2d"},
        Case{"torch.adaptive_avg_pool2d(x, [2, 3])", "adaptive_avg_pool adaptive_avg_pool2d"},
        Case{"torch.max_pool1d(x.flatten(2), 4)", "reshape flatten"},
        Case{"torch.adaptive_avg_pool1d(x.flatten(2), 4)", "reshape flatten"},
        Case{"x.mean([-1, -2])", "mean mean"},
        Case{"torch.matmul(x, x.transpose(2, 3))", "permute transpose"}));

INSTANTIATE_TEST_SUITE_P(
    EinsteinSums, LoweringOf,
    ::testing::Values(Case{"torch.einsum('b h i d, b h j d -> b h i j', [x, x])",
                           "permute transpose"},
                      Case{"torch.einsum('bhij,bhjd->bhid', [x, x])", "matmul einsum"},
                      Case{"torch.einsum('...ij,...jd->...id', [x, x])", "matmul einsum"},
                      Case{"torch.einsum('bhij,bhij->bij', [x, x])", "opaque einsum"}));

TEST(EinsteinSums, WithoutAnArrowSayWhatStaysInOrder) {
  const Imported imported(flattened("torch.einsum('...id,...jd', [x, x])"));
  EXPECT_EQ(imported.nodes(), "permute transpose; matmul einsum; reshape flatten");
  imported.expect_same_as_module();
}

TEST(EinsteinSums, ThatRepeatADimensionStayAnOperator) {
  const Imported imported(flattened("torch.einsum('b...ij,b...jd->b...id', [x, x[:, :1]])"));
  EXPECT_EQ(imported.nodes(), "slice slice; opaque einsum; reshape flatten");
  imported.expect_same_as_module();
}

TEST(Lowering, LeavesOutWhatDoesNothing) {
  const Imported imported(R"(
    def forward(self, x):
      x = torch.dropout(x.contiguous(), 0.5, False).to(6).clone().detach()
      torch.dropout_(x.data, 0.5, False)
      x = torch.permute(x, [0, 1, 2, 3]).expand(-1, 3, 8, 8)[:, :, :]
      return x.mean([2, 3])
  )");
  EXPECT_EQ(imported.nodes(), "mean mean");
}

struct ConvCase {
  const char* call;
  const char* nodes;
};

std::ostream& operator<<(std::ostream& out, const ConvCase& shown) { return out << shown.call; }

class LoweringOfConvolution : public ::testing::TestWithParam<ConvCase> {};

TEST_P(LoweringOfConvolution, IsAConvNode) {
  ScriptModel model;
  model.parameter("weight", at::randn({4, 3, 3, 2})).parameter("bias", at::randn({4}));
  model.parameter("turned", at::randn({3, 4, 3, 2}));
  model.code(flattened(GetParam().call));
  const Imported imported(model);
  EXPECT_EQ(imported.nodes(), std::string(GetParam().nodes) + "; reshape flatten");
  imported.expect_same_as_module();
}

INSTANTIATE_TEST_SUITE_P(
    Forms, LoweringOfConvolution,
    ::testing::Values(
        ConvCase{"torch.conv2d(x, self.weight, self.bias, [2, 1], [1, 0])", "conv conv2d"},
        ConvCase{"torch.conv2d(x, self.weight, None, 1, 2, 2)", "conv conv2d"},
        ConvCase{"torch.conv2d(x, self.weight, self.bias, [1, 1], 'valid')", "conv conv2d"},
        ConvCase{"torch.conv2d(x, self.weight, self.bias, [1, 1], 'same')",
                 "opaque pad; conv conv2d"},
        ConvCase{"torch._convolution(x, self.weight, self.bias, [1, 1], [1, 1], [1, 1], False, "
                 "[0, 0], 1, False, False, True, True)",
                 "conv _convolution"},
        ConvCase{"torch._convolution_mode(x, self.weight, self.bias, [1, 1], 'same', [1, 1], 1)",
                 "opaque pad; conv _convolution_mode"},
        ConvCase{"torch._convolution(x, self.turned, None, [2, 2], [1, 1], [1, 1], True, [1, 1], "
                 "1, False, False, True, True)",
                 "conv_transpose _convolution"},
        ConvCase{"torch.conv_transpose2d(x, self.turned, self.bias, 2)",
                 "conv_transpose conv_transpose2d"}));

TEST(Lowering, OfBatchNormKeepsItsFourTensors) {
  ScriptModel norm, model;
  norm.parameter("weight", at::randn({3})).parameter("bias", at::randn({3}));
  norm.buffer("running_mean", at::randn({3})).buffer("running_var", at::rand({3}));
  norm.code(R"(
    def forward(self, x):
      return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var,
                              False, 0.1, 0.001, False)
  )");
  model.child("bn", norm).code(flattened("self.bn.forward(x)"));
  const Imported imported(model);
  EXPECT_EQ(imported.nodes(), "batch_norm bn; reshape flatten");
  const auto* op = imported.node("bn").as<ir::BatchNorm>();
  EXPECT_EQ(op->running_var.name, "bn.running_var");
  EXPECT_EQ(op->eps, 0.001);
  imported.expect_same_as_module();
}

TEST(Lowering, OfLayerNormAndLinearOverTheLastDimension) {
  ScriptModel model;
  model.parameter("scale", at::randn({8})).parameter("head", at::randn({5, 8}));
  model.code(flattened(
      "torch.linear(torch.layer_norm(x, [8], self.scale, None, 1e-6, False), self.head)"));
  const Imported imported(model);
  EXPECT_EQ(imported.nodes(), "layer_norm layer_norm; linear linear; reshape flatten");
  imported.expect_same_as_module();
}

TEST(Lowering, CastsHalfWeightsToFloat) {
  ScriptModel model;
  model.parameter("weight", at::randn({4, 192}).to(at::kHalf));
  model.code(R"(
    def forward(self, x):
      return torch.linear(x.flatten(1), self.weight)
  )");
  const Imported imported(model);
  EXPECT_EQ(imported.node("linear").as<ir::Linear>()->weight.value.scalar_type(), at::kFloat);
  imported.expect_same_as_module();
}

int count(const ir::Graph& graph, std::string_view op) {
  return static_cast<int>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(),
                    [&](const ir::Node& node) { return ir::op_name(node.op) == op; }));
}

/// Self-attention on LibTorch's fused operators, over 64 tokens of width 4, as `expression`.
class FusedAttention : public ::testing::TestWithParam<const char*> {};

TEST_P(FusedAttention, IsTakenApart) {
  ScriptModel model;
  model.parameter("in_proj_weight", at::randn({12, 4})).parameter("in_proj_bias", at::randn({12}));
  model.parameter("out_weight", at::randn({4, 4})).parameter("out_bias", at::randn({4}));
  model.code(R"(
    def native(self, x, need_weights: bool, average: bool):
      return torch._native_multi_head_attention(x, x, x, 4, 2, self.in_proj_weight,
          self.in_proj_bias, self.out_weight, self.out_bias, None, need_weights, average, None)
    def forward(self, x):
      x = torch.cat([x, x[:, :1]], 1).flatten(2).transpose(1, 2)
      return ()" +
             std::string(GetParam()) + ").mean([1])\n");
  const Imported imported(model);
  EXPECT_GE(count(imported.graph(), "matmul"), 1) << imported.nodes();
  EXPECT_EQ(count(imported.graph(), "softmax"), 1);
  EXPECT_EQ(count(imported.graph(), "opaque"), 0);
  imported.expect_close_to_module(1e-5);
}

// LibTorch 2 calls the product otherwise, and its only result is the output.
#if TORCH_VERSION_MAJOR >= 2
constexpr const char* kProduct =
    "torch.scaled_dot_product_attention(x, x * 0.5, x, None, 0.0, False)";
constexpr const char* kMaskedProduct =
    "torch.scaled_dot_product_attention(x, x, x, torch.ones([64, 64]), scale=0.25)";
#else
constexpr const char* kProduct =
    "torch._scaled_dot_product_attention(x, x * 0.5, x, None, 0.0, False, False)[0]";
constexpr const char* kMaskedProduct =
    "torch._scaled_dot_product_attention(x, x, x, torch.ones([64, 64]))[0]";
#endif

INSTANTIATE_TEST_SUITE_P(Lowering, FusedAttention,
                         ::testing::Values("self.native(x, False, True)[0]",
                                           "self.native(x, True, True)[1]",
                                           "self.native(x, True, False)[1].flatten(1, 2)", kProduct,
                                           kMaskedProduct));

}  // namespace
}  // namespace ptq::import
