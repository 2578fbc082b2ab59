#pragma once

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "import/import.h"
#include "ptq/base/error.h"
#include "ptq/runtime/executor.h"
#include "support/script_model.h"
#include "support/temporary_folder.h"

/// Small models imported, images [N, 3, 8, 8].
namespace ptq::import {

inline constexpr int64_t kImageSize = 8;

class Imported {
 public:
  explicit Imported(const support::ScriptModel& model)
      : path_(folder_.file("model.pt")), graph_(load(model)) {}
  explicit Imported(const std::string& methods) : Imported(support::ScriptModel().code(methods)) {}

  const ir::Graph& graph() const { return graph_; }
  const std::vector<std::string>& notes() const { return notes_; }

  /// "conv features.0; relu features.1; ..."
  std::string nodes() const {
    std::string text;
    for (const ir::Node& node : graph_.nodes) {
      text += (text.empty() ? "" : "; ") + std::string(ir::op_name(node.op)) + " " + node.name;
    }
    return text;
  }

  const ir::Node& node(const std::string& name) const {
    for (const ir::Node& node : graph_.nodes) {
      if (node.name == name) return node;
    }
    throw std::out_of_range("no node " + name + " in: " + nodes());
  }

  /// The interpreter's logits are the module's, bit for bit, at batch sizes of 1, 2 and 5.
  void expect_same_as_module() const { expect_close_to_module(0); }

  /// Within `tolerance` of the largest logit.
  void expect_close_to_module(double tolerance) const {
    const auto interpreter = runtime::make_interpreter(graph_, {runtime::Numerics::kFloat, {}, 1});
    for (const int64_t batch : {1, 2, 5}) {
      const at::Tensor images = at::randn({batch, 3, kImageSize, kImageSize});
      const at::Tensor expected = support::reference_forward(path_, images.clone());
      const at::Tensor actual = interpreter->run(images.clone());
      ASSERT_EQ(actual.sizes(), expected.sizes());
      const double largest = expected.abs().max().item<double>();
      EXPECT_LE(actual.sub(expected).abs().max().item<double>(), tolerance * largest)
          << "batch " << batch << "\n"
          << ir::to_text(graph_);
    }
  }

 private:
  ir::Graph load(const support::ScriptModel& model) {
    model.save(path_);
    return import_torchscript(path_, {kImageSize}, notes_);
  }

  support::TemporaryFolder folder_;
  std::string path_;
  std::vector<std::string> notes_;
  ir::Graph graph_;
};

/// What importing a file complains about, after "PATH: ".
inline std::string refusal_of_file(const std::string& path) {
  try {
    import_torchscript(path, {kImageSize});
  } catch (const ImportError& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::kModel);
    const std::string message = error.what();
    EXPECT_EQ(message.rfind(path + ": ", 0), 0U) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message.substr(std::min(message.size(), path.size() + 2));
  }
  return "imported without complaint";
}

inline std::string refusal_of(const support::ScriptModel& model) {
  const support::TemporaryFolder folder;
  model.save(folder.file("model.pt"));
  return refusal_of_file(folder.file("model.pt"));
}

inline std::string refusal_of(const std::string& methods) {
  return refusal_of(support::ScriptModel().code(methods));
}

}  // namespace ptq::import
