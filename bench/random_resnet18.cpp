#include "random_resnet18.h"

#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "support/script_model.h"

namespace ptq::bench {
namespace {

class ResNet18 {
 public:
  void write(const std::string& path) {
    convolution("x", "x", "stem", {3, 64, 7, 2}, 1);
    code_ += "  x = torch.max_pool2d(torch.relu(x), [3, 3], [2, 2], [1, 1])\n";
    int64_t in = 64;
    for (const int64_t out : {64, 128, 256, 512}) {
      for (const int64_t second : {0, 1}) {
        block("layer" + std::to_string(out) + "_" + std::to_string(second), in, out);
        in = out;
      }
    }
    model_.parameter("fc_weight", at::randn({1000, 512}).mul(0.04));
    model_.parameter("fc_bias", at::zeros({1000}));
    code_ += "  x = torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1)\n";
    code_ += "  return torch.linear(x, self.fc_weight, self.fc_bias)\n";
    model_.code(code_);
    model_.save(path);
  }

 private:
  struct Shape {
    int64_t in, out, kernel, stride;
  };

  /// With a batch normalization whose factor is `gain`.
  void convolution(const std::string& to, const std::string& from, const std::string& name, Shape s,
                   double gain) {
    const double spread = std::sqrt(2.0 / static_cast<double>(s.in * s.kernel * s.kernel));
    model_.parameter(name + "_weight", at::randn({s.out, s.in, s.kernel, s.kernel}).mul(spread));
    model_.parameter(name + "_factor", at::full({s.out}, gain));
    for (const char* part : {"_summand", "_mean"}) model_.buffer(name + part, at::zeros({s.out}));
    model_.buffer(name + "_variance", at::full({s.out}, 1.0));
    const std::string stride = std::to_string(s.stride), padding = std::to_string(s.kernel / 2);
    code_ += "  " + to + " = torch.conv2d(" + from + ", self." + name + "_weight, None, [" +
             stride + ", " + stride + "], [" + padding + ", " + padding + "])\n";
    code_ += "  " + to + " = torch.batch_norm(" + to + ", self." + name + "_factor, self." + name +
             "_summand, self." + name + "_mean, self." + name +
             "_variance, False, 0.1, 1e-05, True)\n";
  }

  void block(const std::string& name, int64_t in, int64_t out) {
    const int64_t stride = in == out ? 1 : 2;
    convolution("y", "x", name + "_first", {in, out, 3, stride}, 1);
    convolution("y", "torch.relu(y)", name + "_second", {out, out, 3, 1}, 0.3);
    if (stride == 2) convolution("x", "x", name + "_shortcut", {in, out, 1, 2}, 0.7);
    code_ += "  x = torch.relu(y + x)\n";
  }

  support::ScriptModel model_;
  std::string code_ = "def forward(self, x):\n";
};

}  // namespace

void write_random_resnet18(const std::string& path) { ResNet18().write(path); }

}  // namespace ptq::bench
