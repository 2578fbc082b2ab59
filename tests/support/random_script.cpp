#include "support/random_script.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>

#include <array>
#include <cmath>
#include <random>
#include <vector>

namespace ptq::support {
namespace {

/// Writes the lines of one forward. `x` is the value so far: images [N, channels, size, size], or
/// tokens [N, length, channels].
class Writer {
 public:
  Writer(RandomScript& script, unsigned seed) : script_(script), random_(seed) {}

  void write() {
    for (int64_t i = pick(1, 5); i > 0; --i) image_step();
    if (chance(0.5)) {
      line("x = x.mean([2, 3])");
    } else {
      to_tokens();
      for (int64_t i = pick(1, 4); i > 0; --i) token_step();
      line(chance(0.5) ? "x = x.mean([1])" : "x = x[:, -1]");
    }
    line("return torch.linear(x, " + weight({5, channels_}) + ")");
  }

 private:
  using Step = void (Writer::*)();

  void image_step() {
    static constexpr std::array<Step, 12> kSteps = {
        &Writer::conv,     &Writer::activation, &Writer::pool,    &Writer::arithmetic,
        &Writer::norm,     &Writer::gate,       &Writer::parts,   &Writer::moved,
        &Writer::residual, &Writer::written,    &Writer::strided, &Writer::transposed};
    (this->*kSteps[static_cast<size_t>(pick(0, kSteps.size() - 1))])();
  }
  void token_step() {
    static constexpr std::array<Step, 9> kSteps = {
        &Writer::linear,     &Writer::activation, &Writer::attention,
        &Writer::sum,        &Writer::mixing,     &Writer::class_token,
        &Writer::token_norm, &Writer::recurrent,  &Writer::product_attention};
    (this->*kSteps[static_cast<size_t>(pick(0, kSteps.size() - 1))])();
  }

  void conv() {
    const int64_t groups = channels_ % 2 == 0 && chance(0.3) ? 2 : 1, out = 2 * pick(1, 4);
    const int64_t kernel = chance(0.5) ? 3 : 1, stride = size_ >= 4 && chance(0.3) ? 2 : 1;
    const std::string bias = chance(0.7) ? weight({out}) : "None";
    line("x = torch.conv2d(x, " + weight({out, channels_ / groups, kernel, kernel}) + ", " + bias +
         ", " + pair(stride) + ", " + pair(kernel / 2) + ", [1, 1], " + text(groups) + ")");
    channels_ = out;
    size_ = (size_ + stride - 1) / stride;
  }
  void transposed() {
    if (size_ > 8) return conv();
    line("x = torch.conv_transpose2d(x, " + weight({channels_, 4, 2, 2}) + ", " + weight({4}) +
         ", [2, 2])");
    channels_ = 4;
    size_ *= 2;
  }
  void activation() {
    static constexpr std::array<const char*, 14> kFunctions = {
        "torch.relu(x)",        "torch.sigmoid(x)",     "torch.silu(x)",
        "torch.hardswish(x)",   "torch.hardsigmoid(x)", "torch.gelu(x)",
        "torch.tanh(x)",        "torch.clamp(x, 0, 6)", "torch.leaky_relu(x, 0.1)",
        "torch.softmax(x, 1)",  "torch.relu_(x * 1.5)", "torch.hardtanh(x, -1.0, 1.0)",
        "torch.softmax(x, -1)", "torch.clamp(x, min=0)"};
    line(std::string("x = ") + kFunctions[static_cast<size_t>(pick(0, kFunctions.size() - 1))]);
  }
  void pool() {
    if (size_ < 4) return line("x = torch.max_pool2d(x, [3, 3], [1, 1], [1, 1])");
    if (chance(0.2)) {
      line("x = torch.adaptive_avg_pool2d(x, [3, 3])");
      size_ = 3;
      return;
    }
    const bool is_max = chance(0.5);
    line(is_max ? "x = torch.max_pool2d(x, 2)"
                : "x = torch.avg_pool2d(x, [3, 3], [2, 2], [1, 1], False, False)");
    size_ = is_max ? size_ / 2 : (size_ + 1) / 2;
  }
  void arithmetic() {
    static constexpr std::array<const char*, 8> kForms = {"x + 0.25",
                                                          "x * 0.5",
                                                          "x / 3",
                                                          "1.0 - x",
                                                          "x * x",
                                                          "x - x.mean([2], True)",
                                                          "x / (x.abs().mean([1], True) + 0.5)",
                                                          "x + torch.tensor([0.5])"};
    line(std::string("x = ") + kForms[static_cast<size_t>(pick(0, kForms.size() - 1))]);
  }
  void norm() {
    line("x = torch.batch_norm(x, " + weight({channels_}) + ", " + weight({channels_}) + ", " +
         weight({channels_}) + ", " + positive({channels_}) + ", False, 0.1, 1e-5, False)");
  }
  void gate() {
    line("g = torch.conv2d(torch.adaptive_avg_pool2d(x, [1, 1]), " +
         weight({channels_, channels_, 1, 1}) + ")");
    line("x = x * torch.sigmoid(g)");
  }
  void residual() {
    line("y = torch.conv2d(x, " + weight({channels_, channels_, 3, 3}) + ", None, 1, 1)");
    if (chance(0.5)) return line("x = torch.relu(x + y)");
    line("x = torch.cat([x, y], 1)");
    channels_ *= 2;
  }
  void parts() {
    if (channels_ % 2 != 0) return conv();
    line("a, b = torch.chunk(x, 2, 1)");
    line(chance(0.5) ? "x = torch.cat([b, torch.relu(a)], 1)"
                     : "x = torch.cat([a[:, :, ::1], b.flip([3])], 1)");
  }
  void moved() {
    static constexpr std::array<const char*, 6> kForms = {
        "x.transpose(2, 3)",
        "torch.roll(x, [1, 1], [2, 3])",
        "x.permute(0, 1, 3, 2).contiguous()",
        "x.flip([2])",
        "x.reshape([x.size(0), x.size(1), -1]).view(x.size())",
        "x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)"};
    line(std::string("x = ") + kForms[static_cast<size_t>(pick(0, kForms.size() - 1))]);
  }
  /// Shifts by writes into slices.
  void written() {
    line("y = torch.zeros_like(x)");
    line("y[:, :1, 1:] = x[:, :1, :-1]");
    line("y[:, 1:] = x[:, 1:]");
    line("x = y");
  }
  /// Rows of pairs, as they lie in memory.
  void strided() {
    const int64_t area = size_ * size_;
    line("y = torch.max_pool2d(x, [3, 3], [1, 1], [1, 1])");
    line("x = y.as_strided([x.size(0), " + text(channels_) + ", " + text(size_) + ", " +
         text(size_) + "], [" + text(channels_ * area) + ", " + text(area) + ", 1, " + text(size_) +
         "])");
  }

  void to_tokens() {
    line("x = x.flatten(2).transpose(1, 2)");
    length_ = size_ * size_;
  }
  void linear() {
    const int64_t out = 2 * pick(2, 4);
    line("x = torch.linear(x, " + weight({out, channels_}) + ", " + weight({out}) + ")");
    channels_ = out;
  }
  void attention() {
    line("q = torch.linear(x, " + weight({channels_, channels_}) + ") * 0.4");
    line("a = torch.softmax(torch.matmul(q, x.transpose(1, 2)), -1)");
    line("x = x + torch.matmul(a, x)");
  }
  void product_attention() {
    line(std::string("y, a = torch._scaled_dot_product_attention(x, x, x, None, 0.0, False, ") +
         (chance(0.5) ? "True)" : "False)"));
    line("x = x + y");
  }
  void sum() {
    const int64_t out = 2 * pick(2, 4);
    if (chance(0.5)) {
      line("x = torch.einsum('bnc,dc->bnd', [x, " + weight({out, channels_}) + "])");
    } else {
      line("x = torch.einsum('bnc,cd->bnd', [x, " + weight({channels_, out}) + "])");
    }
    channels_ = out;
  }
  void mixing() {
    line("x = torch.matmul(" + weight({4, length_}) + ", x)");
    length_ = 4;
  }
  void class_token() {
    line("x = torch.cat([" + weight({1, 1, channels_}) + ".expand([x.size(0), -1, -1]), x], 1)");
    ++length_;
  }
  void token_norm() {
    line("x = torch.layer_norm(x, [" + text(channels_) + "], " + weight({channels_}) + ", " +
         weight({channels_}) + ")");
  }
  void recurrent() {
    if (length_ > 20) return mixing();
    line("h = torch.zeros([1, x.size(0), 4])");
    line("x, h = torch.gru(x, h, [" + weight({12, channels_}) + ", " + weight({12, 4}) +
         "], False, 1, 0.0, False, False, True)");
    channels_ = 4;
  }

  std::string weight(const std::vector<int64_t>& sizes) {
    double inputs = 1;
    for (size_t i = 1; i < sizes.size(); ++i) inputs *= static_cast<double>(sizes[i]);
    return parameter(at::randn(sizes, generator()).div(std::sqrt(inputs)));
  }
  std::string positive(const std::vector<int64_t>& sizes) {
    return parameter(at::rand(sizes, generator()).add(0.5));
  }
  std::string parameter(const at::Tensor& value) {
    const std::string name = "p" + std::to_string(parameters_++);
    script_.model.parameter(name, value);
    return "self." + name;
  }
  at::Generator generator() { return at::detail::createCPUGenerator(random_()); }

  void line(const std::string& written) { script_.code += "  " + written + "\n"; }
  int64_t pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  static std::string text(int64_t number) { return std::to_string(number); }
  static std::string pair(int64_t number) { return "[" + text(number) + ", " + text(number) + "]"; }

  RandomScript& script_;
  std::mt19937 random_;
  int64_t channels_ = 3, size_ = 8, length_ = 0;
  int parameters_ = 0;
};

}  // namespace

std::unique_ptr<RandomScript> random_script(unsigned seed) {
  auto script = std::make_unique<RandomScript>();
  script->code = "def forward(self, x):\n";
  Writer(*script, seed).write();
  script->model.code(script->code);
  return script;
}

}  // namespace ptq::support
