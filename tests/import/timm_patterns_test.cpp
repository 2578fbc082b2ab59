#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>

#include "import/imported.h"

/// What timm's networks are made of, written down small: images [N, 3, 8, 8] or their 16 patches.
namespace ptq::import {
namespace {

using support::ScriptModel;

struct Pattern {
  const char* name;
  const char* lines;
};

std::ostream& operator<<(std::ostream& out, const Pattern& shown) { return out << shown.name; }

constexpr const char* kPatches =
    "  t = torch.conv2d(x, self.patch, None, [2, 2]).flatten(2).transpose(1, 2)\n";

class TimmPattern : public ::testing::TestWithParam<Pattern> {};

TEST_P(TimmPattern, ComputesWhatTheModuleDoes) {
  ScriptModel model;
  model.parameter("patch", at::randn({8, 3, 2, 2}).mul(0.4))
      .parameter("conv", at::randn({3, 3, 3, 3}));
  model.parameter("qkv", at::randn({24, 8}).mul(0.4)).parameter("fc", at::randn({8, 8}).mul(0.4));
  model.parameter("mix", at::randn({16, 16}).mul(0.3)).parameter("gamma", at::randn({8}));
  model.parameter("gain", at::rand({3, 1, 1, 1})).parameter("score", at::randn({1, 8}));
  model.parameter("table", at::randn({49, 2})).parameter("wi", at::randn({16, 8}).mul(0.3));
  model.parameter("wh", at::randn({16, 4}).mul(0.3))
      .buffer("mask", at::full({16, 16}, -100.0).triu(3));
  model.code(std::string("def forward(self, x):\n") + kPatches + GetParam().lines);
  const Imported imported(model);
  imported.expect_close_to_module(1e-5);
  const auto plan = runtime::make_plan(imported.graph(), {runtime::Numerics::kFloat, {}, 1});
  const auto interpreter =
      runtime::make_interpreter(imported.graph(), {runtime::Numerics::kFloat, {}, 1});
  const at::Tensor images = at::randn({5, 3, kImageSize, kImageSize});
  const at::Tensor expected = interpreter->run(images);
  EXPECT_LE(plan->run(images).sub(expected).abs().max().item<float>(),
            1e-4F * expected.abs().max().item<float>());
}

INSTANTIATE_TEST_SUITE_P(
    Import, TimmPattern,
    ::testing::Values(
        Pattern{"residual in residual",
                "  y = x\n  for i in range(3):\n    y = y + 0.2 * torch.leaky_relu(torch.conv2d(y, "
                "self.conv, None, 1, 1), 0.2)\n  return (x + 0.2 * y).mean([2, 3])\n"},
        Pattern{"normalization free",
                "  v, m = torch.var_mean(self.conv, [1, 2, 3], keepdim=True, unbiased=False)\n"
                "  w = (self.conv - m) * torch.rsqrt(torch.maximum(v * 27.0, torch.full_like(v, "
                "1e-4))) * self.gain\n"
                "  return (torch.gelu(torch.conv2d(x, w, None, 1, 1)) * 1.7 + 0.2 * x).mean([2, "
                "3])\n"},
        Pattern{
            "relative positions",
            "  q, k, v = torch.linear(t, self.qkv).reshape(-1, 16, 3, 2, 4).permute(2, 0, 3, 1, "
            "4).unbind(0)\n"
            "  r = torch.arange(16)\n  index = (r.unsqueeze(0) - r.unsqueeze(1) + 15)\n"
            "  bias = self.table[index.view(-1)].view(16, 16, 2).permute(2, 0, 1).contiguous()\n"
            "  a = torch.matmul(q * 0.5, k.transpose(-2, -1)) + bias.unsqueeze(0)\n"
            "  y = torch.matmul(torch.softmax(a, -1), v).transpose(1, 2).reshape(-1, 16, 8)\n"
            "  return y.mean([1])\n"},
        Pattern{
            "shifted windows",
            "  g = t.view(-1, 4, 4, 8)\n"
            "  g = torch.cat([torch.cat([g[:, 1:, 1:], g[:, 1:, :1]], 2), torch.cat([g[:, :1, "
            "1:], g[:, :1, :1]], 2)], 1)\n"
            "  w = g.view(-1, 2, 2, 2, 2, 8).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, 8)\n"
            "  a = torch.softmax(torch.matmul(w, w.transpose(-2, -1)) + self.mask[:4, :4], -1)\n"
            "  w = torch.matmul(a, w).view(-1, 2, 2, 2, 2, 8).permute(0, 1, 3, 2, 4, 5)\n"
            "  return torch.roll(w.reshape(-1, 4, 4, 8), [1, 1], [1, 2]).mean([1, 2])\n"},
        Pattern{"global response norm",
                "  g = t.view(-1, 4, 4, 8)\n  n = g.norm(2.0, [1, 2], True)\n"
                "  n = n / (n.mean([-1], True) + 1e-6)\n"
                "  return (g + g * n * self.gamma).mean([1, 2])\n"},
        Pattern{"squeeze and excite with a floor",
                "  s = x.mean([2, 3], True)\n"
                "  s = torch.clamp(torch.conv2d(s, self.conv[:, :, :1, :1]) + 3.0, 0, 6) / 6.0\n"
                "  return (x * torch.clamp(s, 0.1, 1.0)).amax([2, 3])\n"},
        Pattern{"token pruning",
                "  s = torch.linear(t, self.score).squeeze(-1)\n  k, i = torch.topk(s, 9, 1)\n"
                "  t = torch.gather(t, 1, i.unsqueeze(-1).expand(-1, -1, 8))\n"
                "  return torch.relu(t).mean([1])\n"},
        Pattern{
            "integers and decisions beside floats",
            "  r = torch.arange(16).view(1, -1, 1)\n"
            "  y = torch.cumsum(t, 1) / (r + 1) - r * t + (r > 3)\n"
            "  return torch.cat([y * (r % 2 == 0), r.expand(x.size(0), -1, -1)], 2).mean([1])\n"},
        Pattern{"token mixing",
                "  t = t + torch.gelu(torch.matmul(self.mix, t))\n"
                "  u, v = torch.linear(t, self.fc).chunk(2, -1)\n"
                "  v = torch.linear(v.transpose(-1, -2), self.mix).transpose(-1, -2)\n"
                "  return (u * v).mean([1])\n"},
        Pattern{
            "rows and columns by LSTM",
            "  g = t.reshape(-1, 4, 8)\n  h = torch.zeros([1, g.size(0), 4])\n"
            "  r, a, b = torch.lstm(g, [h, h], [self.wi, self.wh], False, 1, 0.0, False, False, "
            "True)\n"
            "  return r.reshape(-1, 4, 4, 4).mean([1, 2])\n"},
        Pattern{"attention over channels",
                "  q, k, v = torch.linear(t, self.qkv).chunk(3, -1)\n"
                "  q = q / torch.clamp_min(q.norm(2.0, [1], True), 1e-12).expand_as(q)\n"
                "  k = k / torch.clamp_min(k.norm(2.0, [1], True), 1e-12).expand_as(k)\n"
                "  a = torch.softmax(torch.matmul(q.transpose(1, 2), k) * 2.0, -1)\n"
                "  return torch.matmul(a, v.transpose(1, 2)).mean([2])\n"},
        Pattern{"heads of a learnt query, sequence first",
                "  q = self.qkv[:3].unsqueeze(1).expand(-1, x.size(0), -1)\n"
                "  q = q.reshape(3, -1, 4).transpose(0, 1)\n"
                "  k = t.transpose(0, 1).reshape(16, -1, 4).transpose(0, 1)\n"
                "  a = torch.softmax(torch.matmul(q, k.transpose(1, 2)), -1)\n"
                "  y = torch.matmul(a, k).transpose(0, 1).reshape(3, -1, 8)\n"
                "  return torch.linear(y, self.fc).mean([0])\n"},
        Pattern{"weights of each image, folded into groups",
                "  r = torch.sigmoid(x.mean([2, 3]))\n"
                "  w = (r.unsqueeze(-1) * self.conv.reshape(1, 3, 27)).reshape(-1, 3, 3, 3)\n"
                "  y = torch.conv2d(x.reshape(1, -1, 8, 8), w, None, [1, 1], [1, 1], [1, 1], "
                "x.size(0))\n"
                "  return y.reshape(-1, 3, 8, 8).mean([2, 3])\n"}));

}  // namespace
}  // namespace ptq::import
