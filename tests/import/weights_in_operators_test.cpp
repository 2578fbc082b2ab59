#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>

#include <cmath>

#include "import/imported.h"

/// Operators that hold weights become layers, whose weights are quantized.
namespace ptq::import {
namespace {

using support::ScriptModel;

std::string forward(const std::string& lines) { return "def forward(self, x):\n" + lines; }

/// No weight is left in an operator that is only passed on.
void expect_only_layers(const Imported& imported) {
  for (const ir::Node& node : imported.graph().nodes) {
    const auto* opaque = node.as<ir::Opaque>();
    EXPECT_TRUE(opaque == nullptr || opaque->schema == "aten::tanh") << opaque->schema;
  }
  imported.expect_close_to_module(1e-5);
}

void add_encoder_weights(ScriptModel& model) {
  const auto weight = [&](const char* name, std::vector<int64_t> sizes) {
    model.parameter(name, at::randn(sizes).mul(0.3));
  };
  weight("qkv_w", {24, 8}), weight("qkv_b", {24}), weight("proj_w", {8, 8}), weight("proj_b", {8});
  weight("n1_w", {8}), weight("n1_b", {8}), weight("n2_w", {8}), weight("n2_b", {8});
  weight("up_w", {16, 8}), weight("up_b", {16}), weight("down_w", {8, 16}), weight("down_b", {8});
}

class EncoderLayer : public ::testing::TestWithParam<const char*> {};

TEST_P(EncoderLayer, BecomesLayers) {
  ScriptModel model;
  add_encoder_weights(model);
  model.code(
      forward(std::string("  y = torch._transformer_encoder_layer_fwd(x.flatten(1, 2), 8, 2, "
                          "self.qkv_w, self.qkv_b, self.proj_w, self.proj_b, ") +
              GetParam() +
              ", 1e-5, self.n1_w, self.n1_b, self.n2_w, self.n2_b, self.up_w, self.up_b, "
              "self.down_w, self.down_b)\n  return y.mean([1])\n"));
  expect_only_layers(Imported(model));
}

INSTANTIATE_TEST_SUITE_P(Weights, EncoderLayer,
                         ::testing::Values("True, False", "False, True", "True, True"));

TEST(WeightsInOperators, BecomeLayersWhereAProductIsAdded) {
  ScriptModel model;
  model.parameter("w", at::randn({8, 8}).mul(0.4))
      .buffer("mask", at::full({24, 24}, -INFINITY).triu(1));
  model.code(
      forward("  q = x.reshape([-1, 24, 8])\n  m = self.mask.expand(x.size(0), 24, 24)\n"
              "  a = torch.baddbmm(m, q, q.transpose(1, 2), alpha=0.3)\n"
              "  y = torch.matmul(torch.softmax(a, -1), q).mean([1])\n"
              "  return torch.addmm(y, y, self.w, alpha=0.5)\n"));
  expect_only_layers(Imported(model));
}

TEST(WeightsInOperators, BecomeLayersInTensordotAndBilinear) {
  for (const char* line : {"  return torch.tensordot(x.flatten(2), self.w, [2, 1], [1, 0])\n",
                           "  return torch.tensordot(self.m, x.mean([2, 3]), [1], [1]).t()\n",
                           "  y = x.flatten(2)\n  return torch.bilinear(y.mean([1]), x.mean([2, "
                           "3]), self.b, self.c)\n",
                           "  y = x.flatten(2).transpose(1, 2)\n"
                           "  return torch.bilinear(y.tanh(), y, self.q, None).mean([1])\n"}) {
    ScriptModel model;
    model.parameter("w", at::randn({3, 64, 5}).mul(0.3)).parameter("m", at::randn({5, 3}));
    model.parameter("b", at::randn({5, 64, 3}).mul(0.3)).parameter("c", at::randn({5}));
    model.parameter("q", at::randn({4, 3, 3}));
    expect_only_layers(Imported(model.code(forward(line))));
  }
}

/// A GRU cell as a trace has it: written into parts of a layer's output.
TEST(WeightsInOperators, BecomeLayersInATracedCell) {
  ScriptModel model;
  model.parameter("wi", at::randn({12, 3})).parameter("wh", at::randn({12, 4}));
  model.parameter("b", at::randn({12})).parameter("w", at::randn({4, 3}));
  model.code(
      forward("  y = x.mean([2, 3])\n  h = torch.linear(y, self.w)\n"
              "  r, z, n = torch.unsafe_chunk(torch.linear(y, self.wi, self.b), 3, 1)\n"
              "  a, c, d = torch.unsafe_chunk(torch.linear(h, self.wh, self.b), 3, 1)\n"
              "  r = torch.sigmoid_(a.add_(r))\n  z = torch.sigmoid_(c.add_(z))\n"
              "  n = torch.tanh_(n + d.mul_(r))\n  return (h - n).mul_(z).add_(n)\n"));
  expect_only_layers(Imported(model));
}

struct Recurrent {
  const char* name;
  const char* lines;
  int64_t gates;
  int64_t inputs = 8;
};

std::ostream& operator<<(std::ostream& out, const Recurrent& shown) { return out << shown.name; }

class RecurrentNetwork : public ::testing::TestWithParam<Recurrent> {};

TEST_P(RecurrentNetwork, BecomesLayers) {
  const Recurrent& tried = GetParam();
  const int64_t rows = 6 * tried.gates;
  ScriptModel model;
  for (const char* way : {"", "r"}) {
    const std::string end(way);
    model.parameter("wi" + end, at::randn({rows, 8}).mul(0.4));
    model.parameter("wh" + end, at::randn({rows, 6}).mul(0.4));
    model.parameter("bi" + end, at::randn({rows}).mul(0.2));
    model.parameter("bh" + end, at::randn({rows}).mul(0.2));
  }
  model.parameter("wi2", at::randn({rows, 6}).mul(0.4))
      .parameter("wh2", at::randn({rows, 6}).mul(0.4));
  model.parameter("wi1", at::randn({rows, 8}).mul(0.4));
  for (const char* way : {"", "r", "2"}) {
    model.parameter("wp" + std::string(way), at::randn({5, 6}).mul(0.4));
    model.parameter("whp" + std::string(way), at::randn({rows, 5}).mul(0.4));
  }
  model.parameter("wi10", at::randn({rows, 10}).mul(0.4));
  model.code(forward(tried.lines));
  expect_only_layers(Imported(model));
}

INSTANTIATE_TEST_SUITE_P(
    Weights, RecurrentNetwork,
    ::testing::Values(
        Recurrent{"lstm",
                  "  y = x.flatten(1, 2)\n  h = torch.zeros([2, x.size(0), 6])\n"
                  "  out, hn, cn = torch.lstm(y, [h, h], [self.wi, self.wh, self.bi, self.bh, "
                  "self.wir, self.whr, self.bir, self.bhr], True, 1, 0.0, False, True, True)\n"
                  "  return out[:, -1] * 2.0 + hn[1].mean([1], True) + cn[0].mean([1], True)\n",
                  4},
        Recurrent{"two layers without biases",
                  "  y = x.flatten(1, 2).transpose(0, 1)\n  h = torch.zeros([2, x.size(0), 6])\n"
                  "  out, hn, cn = torch.lstm(y, [h, h], [self.wi1, self.wh, self.wi2, self.wh2], "
                  "False, 2, 0.3, False, False, False)\n  return out[-1]\n",
                  4},
        Recurrent{"projected lstm, two ways",
                  "  y = x.flatten(1, 2)\n  c = torch.zeros([2, x.size(0), 6])\n"
                  "  h = torch.zeros([2, x.size(0), 5])\n"
                  "  out, hn, cn = torch.lstm(y, [h, c], [self.wi, self.whp, self.bi, self.bh, "
                  "self.wp, self.wir, self.whpr, self.bir, self.bhr, self.wpr], True, 1, 0.0, "
                  "False, True, True)\n"
                  "  return out[:, -1] + hn[1].mean([1], True) + cn[0].mean([1], True)\n",
                  4},
        Recurrent{"projected lstm, two layers of two ways without biases",
                  "  y = x.flatten(1, 2).transpose(0, 1)\n"
                  "  h = torch.zeros([4, x.size(0), 5])\n  c = torch.zeros([4, x.size(0), 6])\n"
                  "  out, hn, cn = torch.lstm(y, [h, c], [self.wi, self.whp, self.wp, self.wir, "
                  "self.whpr, self.wpr, self.wi10, self.whp2, self.wp2, self.wi10, self.whp, "
                  "self.wp], False, 2, 0.0, False, True, False)\n  return out[-1]\n",
                  4},
        Recurrent{"gru",
                  "  y = x.flatten(1, 2)\n  h = torch.zeros([1, x.size(0), 6])\n"
                  "  out, hn = torch.gru(y, h, [self.wi, self.wh, self.bi, self.bh], True, 1, 0.0, "
                  "False, False, True)\n  return out[:, -1]\n",
                  3},
        Recurrent{"rnn",
                  "  y = x.flatten(1, 2)\n  h = torch.zeros([1, x.size(0), 6])\n"
                  "  out, hn = torch.rnn_tanh(y, h, [self.wi, self.wh, self.bi, self.bh], True, 1, "
                  "0.0, False, False, True)\n  return out[:, -1]\n",
                  1},
        Recurrent{"lstm_cell",
                  "  y = x.flatten(1, 2)\n  h = torch.zeros([x.size(0), 6])\n  c = h\n"
                  "  for t in range(4):\n    h, c = torch.lstm_cell(y[:, t], [h, c], self.wi, "
                  "self.wh, self.bi, self.bh)\n  return h\n",
                  4},
        Recurrent{"gru_cell",
                  "  y = x.flatten(1, 2)\n  h = torch.zeros([x.size(0), 6])\n"
                  "  for t in range(4):\n    h = torch.gru_cell(y[:, t], h, self.wi, self.wh, "
                  "self.bi, self.bh)\n  return h\n",
                  3}));

TEST(Weights, OfALongSequenceStayInTheirOperator) {
  ScriptModel model;
  model.parameter("wi", at::randn({8, 1})).parameter("wh", at::randn({8, 2}));
  model.code(
      forward("  y = torch.cat([x.flatten(1)] * 4, 1).unsqueeze(2)\n"
              "  h = torch.zeros([1, x.size(0), 2])\n"
              "  out, hn, cn = torch.lstm(y, [h, h], [self.wi, self.wh], False, 1, 0.0, "
              "False, False, True)\n  return out[:, -1]\n"));
  const Imported imported(model);
  EXPECT_NE(imported.nodes().find("opaque lstm"), std::string::npos) << imported.nodes();
  imported.expect_close_to_module(1e-6);
}

struct Sum {
  const char* expression;
  std::vector<int64_t> weight;
};

std::ostream& operator<<(std::ostream& out, const Sum& shown) { return out << shown.expression; }

class SumWithAWeight : public ::testing::TestWithParam<Sum> {};

/// Of y [N, 24, 8].
TEST_P(SumWithAWeight, BecomesALinearLayer) {
  ScriptModel model;
  model.parameter("w", at::randn(GetParam().weight));
  model.code(forward(std::string("  y = x.flatten(1, 2)\n  y = ") + GetParam().expression +
                     "\n  return y.flatten(1)\n"));
  const Imported imported(model);
  EXPECT_NE(imported.nodes().find("linear "), std::string::npos) << imported.nodes();
  expect_only_layers(imported);
}

INSTANTIATE_TEST_SUITE_P(
    Weights, SumWithAWeight,
    ::testing::Values(Sum{"torch.einsum('bnc,dc->bnd', [y, self.w])", {5, 8}},
                      Sum{"torch.einsum('bnc,cd->bdn', [y, self.w])", {8, 5}},
                      Sum{"torch.einsum('mn,bnc->bmc', [self.w, y])", {7, 24}},
                      Sum{"torch.einsum('bnc,hdc->bhnd', [y, self.w])", {2, 3, 8}},
                      Sum{"torch.einsum('bnc,nce->be', [y, self.w])", {24, 8, 4}},
                      Sum{"torch.einsum('...c,cd->...d', [y, self.w])", {8, 5}},
                      Sum{"torch.einsum('...c,cd', [y, self.w])", {8, 5}},
                      Sum{"torch.einsum('mn,...nc->...mc', [self.w, y])", {7, 24}},
                      Sum{"torch.einsum('b...,...e->be', [y, self.w])", {24, 8, 4}},
                      Sum{"torch.matmul(self.w, y)", {7, 24}},
                      Sum{"torch.matmul(y, self.w)", {8, 5}}));

struct Product {
  const char* name;
  const char* call;
};

std::ostream& operator<<(std::ostream& out, const Product& shown) { return out << shown.name; }

class ProductAttention : public ::testing::TestWithParam<Product> {};

/// Queries are learnt, of a batch of one, or the keys.
TEST_P(ProductAttention, BecomesProducts) {
  ScriptModel model;
  model.parameter("q", at::randn({1, 2, 8}));
  model.code(forward(std::string("  k = x.flatten(1, 2)\n  y, w = "
                                 "torch._scaled_dot_product_attention(") +
                     GetParam().call + ")\n  return y.mean([1])\n"));
  const Imported imported(model);
  EXPECT_NE(imported.nodes().find("softmax"), std::string::npos) << imported.nodes();
  expect_only_layers(imported);
}

INSTANTIATE_TEST_SUITE_P(
    Weights, ProductAttention,
    ::testing::Values(Product{"learnt query", "self.q, k, k, None, 0.0, False, False"},
                      Product{"causal", "k, k, k, None, 0.0, False, True"},
                      Product{"mask of booleans",
                              "k, k, k, torch.ones([24, 24]).tril() > 0, 0.0, False, False"}));

TEST(Refusal, OfDropoutInsideAnAttention) {
  EXPECT_EQ(
      refusal_of(forward("  k = x.flatten(2)\n  y, w = torch._scaled_dot_product_attention(k, "
                         "k, k, None, 0.3, False, False)\n  return y.mean([2])\n")),
      "_scaled_dot_product_attention runs as in training: it drops at random (dropout_p 0.3); "
      "export the model after model.eval(), given images [2, 3, 8, 8]");
}

}  // namespace
}  // namespace ptq::import
