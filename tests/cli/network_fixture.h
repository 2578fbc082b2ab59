#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <caffe2/serialize/inline_container.h>

#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string>

#include "cli/program_fixture.h"
#include "support/script_model.h"

// Networks as people have them, each standing for a kind that quantizers are reported to get wrong:
// logits are PyTorch's and quantizing costs little (accepted_networks_test.cpp), or one sentence
// says what cannot be done (refused_networks_test.cpp).
namespace ptq::cli {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A convolution, whose `y` [N, 16, 8, 8] is not negative, `lines` that make y [N, 16] of it, and a
/// classifier of ten classes. `t` are nine tokens of y, [N, 9, 16].
inline void define(support::ScriptModel& model, const std::string& lines) {
  const at::Tensor triangle = at::ones({9, 9}).triu(1);
  model.parameter("stem_w", at::randn({16, 3, 4, 4}).mul(0.2))
      .parameter("stem_b", at::rand({16}))
      .parameter("head_w", at::randn({10, 16}))
      .parameter("head_b", at::randn({10}))
      .parameter("square", at::randn({16, 16}).mul(0.3))
      .parameter("query", at::randn({1, 2, 16}))
      .parameter("cube", at::randn({16, 16, 16}).mul(0.1))
      .buffer("minus_infinity", at::full({9, 9}, 0.0).masked_fill(triangle > 0, -kInfinity))
      .buffer("lowest", triangle * std::numeric_limits<float>::lowest())
      .buffer("triangle", triangle)
      .buffer("scales", at::rand({16}).to(at::kDouble))
      .code(
          "def forward(self, x):\n"
          "  y = torch.relu(torch.conv2d(x, self.stem_w, self.stem_b, [4, 4]))\n"
          "  t = torch.transpose(torch.flatten(y, 2), 1, 2)[:, :9]\n" +
          lines + "  return torch.linear(y, self.head_w, self.head_b)\n");
}

inline const std::string kPool = "  y = y.mean([2, 3])\n";

/// As a file that another program wrote: `from` is `to` in its code. Throws std::runtime_error if
/// the code has no `from`.
inline void change_code(const std::string& path, const std::string& from, const std::string& to) {
  const std::string changed = path + ".changed.pt";
  bool is_there = false;
  {
    caffe2::serialize::PyTorchStreamReader reader(path);
    caffe2::serialize::PyTorchStreamWriter writer(changed);
    for (const std::string& name : reader.getAllRecords()) {
      const size_t dot = name.rfind('.');
      const bool is_of_debuggers = dot != std::string::npos && name.substr(dot) == ".debug_pkl";
      if (name == "version" || name.rfind(".data/", 0) == 0 || is_of_debuggers) continue;
      const auto [data, size] = reader.getRecord(name);
      std::string content(static_cast<const char*>(data.get()), size);
      for (size_t at = content.find(from); at != std::string::npos; at = content.find(from, at)) {
        content.replace(at, from.size(), to);
        at += to.size();
        is_there = true;
      }
      writer.writeRecord(name, content.data(), content.size());
    }
    writer.writeEndOfFile();
  }
  if (!is_there) throw std::runtime_error("the code of " + path + " has no " + from);
  std::filesystem::rename(changed, path);
}

class Networks : public Program {
 protected:
  Networks() { at::manual_seed(3); }

  std::string model(const std::string& lines) const {
    support::ScriptModel model;
    define(model, lines);
    model.save(path("model.pt"));
    return path("model.pt");
  }

  Arguments on_model(const Arguments& more = {}) const {
    Arguments all = good_but("--model", path("model.pt"));
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

}  // namespace ptq::cli
