#include "export/node_comparison.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "export/export.h"
#include "export/onnx/read/program.h"
#include "export/onnx_runtime.h"

namespace ptq::exporting::testing {
namespace {

/// The bytes of a file as a value like `like`.
OnnxValue read_like(const OnnxValue& like, const std::string& path) {
  onnx::TensorProto tensor;
  tensor.set_data_type(like.type);
  for (const int64_t size : like.tensor.sizes()) tensor.add_dims(size);
  tensor.set_raw_data(support::content_of(path));
  return to_value(tensor, "");
}

void compare(const onnx::NodeProto& node, const OnnxValue& actual, const OnnxValue& expected,
             NodeComparison& result) {
  ++result.nodes;
  if (expected.type != onnx::TensorProto::FLOAT) {
    const auto count = actual.tensor.ne(expected.tensor).sum().item<int64_t>();
    if (count > 0 && result.differing_codes == 0) result.first_differing = node.name();
    result.differing_codes += count;
    return;
  }
  const double largest = expected.tensor.abs().max().item<double>();
  const double difference =
      actual.tensor.sub(expected.tensor).abs().max().item<double>() / std::max(largest, 1e-30);
  if (difference <= result.largest_difference) return;
  result.largest_difference = difference;
  result.at = node.name() + " (" + node.op_type() + ")";
}

}  // namespace

NodeComparison compare_nodes(const std::string& model, const at::Tensor& images) {
  const OnnxProgram program(model);
  std::vector<std::string> names;
  for (const onnx::NodeProto* node : program.nodes()) names.push_back(node->output(0));
  const support::TemporaryFolder folder;
  const std::string copy = folder.file("traced.onnx");
  EXPECT_EQ(copy_onnx_with_outputs(model, names, copy), names);
  run_in_onnx_runtime({{"node", copy, images}}, folder);
  OnnxValues values{{program.input(), {images}}};
  NodeComparison result;
  for (size_t i = 0; i < names.size(); ++i) {
    const OnnxValue expected = program.compute(*program.nodes()[i], values);
    OnnxValue& actual = values[names[i]];
    actual = read_like(expected, folder.file("node." + std::to_string(i)));
    compare(*program.nodes()[i], actual, expected, result);
  }
  return result;
}

}  // namespace ptq::exporting::testing
