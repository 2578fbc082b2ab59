#include "export/onnx/read/evaluator.h"

#include <c10/core/InferenceMode.h>

#include <functional>
#include <set>

#include "export/onnx/read/program.h"

namespace ptq::exporting {
namespace {

class Evaluator final : public ExportedModel {
 public:
  explicit Evaluator(const std::string& path);

  at::Tensor run(const at::Tensor& images) override { return run(images, nullptr); }
  NamedValues values(const at::Tensor& images, const std::vector<std::string>& names) override;

 private:
  using Seen = std::function<void(const std::string& name, const OnnxValue& value)>;

  at::Tensor run(const at::Tensor& images, const Seen& seen) const;

  OnnxProgram program_;
  /// For each node the values that nothing reads after it.
  std::vector<std::vector<std::string>> last_reads_;
};

Evaluator::Evaluator(const std::string& path) : program_(path) {
  std::unordered_map<std::string, size_t> last_step;
  const auto& nodes = program_.nodes();
  for (size_t step = 0; step < nodes.size(); ++step) {
    for (const std::string& name : nodes[step]->input()) last_step[name] = step;
  }
  last_reads_.resize(nodes.size());
  for (const auto& [name, step] : last_step) {
    if (name != program_.output()) last_reads_[step].push_back(name);
  }
}

at::Tensor Evaluator::run(const at::Tensor& images, const Seen& seen) const {
  const c10::InferenceMode no_gradients;
  OnnxValues values{{program_.input(), {images.contiguous()}}};
  for (size_t step = 0; step < last_reads_.size(); ++step) {
    const onnx::NodeProto& node = *program_.nodes()[step];
    OnnxValue value = program_.compute(node, values);
    if (seen) seen(node.output(0), value);
    values[node.output(0)] = std::move(value);
    for (const std::string& name : last_reads_[step]) values.erase(name);
  }
  return values.at(program_.output()).tensor.contiguous();
}

NamedValues Evaluator::values(const at::Tensor& images, const std::vector<std::string>& names) {
  const std::set<std::string> wanted(names.begin(), names.end());
  NamedValues found;
  run(images, [&](const std::string& name, const OnnxValue& value) {
    if (wanted.count(name) > 0) found[name] = value.tensor;
  });
  return found;
}

}  // namespace

std::unique_ptr<ExportedModel> load_onnx(const std::string& path) {
  return std::make_unique<Evaluator>(path);
}

}  // namespace ptq::exporting
