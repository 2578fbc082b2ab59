#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "export/onnx/read/program.h"
#include "ptq/base/error.h"
#include "support/temporary_folder.h"

namespace ptq::exporting {
namespace {

using ::testing::HasSubstr;

/// What the reader says of a model with one input, one output and what `change` adds.
std::string refusal(const std::function<void(onnx::GraphProto&)>& change) {
  const support::TemporaryFolder folder;
  onnx::ModelProto model;
  model.mutable_graph()->add_input()->set_name("images");
  model.mutable_graph()->add_output()->set_name("images");
  change(*model.mutable_graph());
  const std::string path = folder.write("model.onnx", model.SerializeAsString());
  try {
    const OnnxProgram program(path);
  } catch (const ExportError& error) {
    return error.what();
  }
  return "none";
}

/// "w", int64 numbers.
onnx::TensorProto& add_numbers(onnx::GraphProto& graph, const std::vector<int64_t>& dims) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name("w");
  tensor.set_data_type(onnx::TensorProto::INT64);
  for (const int64_t dim : dims) tensor.add_dims(dim);
  for (const int64_t number : {1, 2, 3, 4}) tensor.add_int64_data(number);
  return tensor;
}

/// Computed when the model is read, as its input is constant.
onnx::NodeProto& add_node(onnx::GraphProto& graph, const std::string& type) {
  add_numbers(graph, {2, 2});
  onnx::NodeProto& node = *graph.add_node();
  node.set_name("node");
  node.set_op_type(type);
  node.add_input("w");
  node.add_output("y");
  return node;
}

void set_integers(onnx::NodeProto& node, const std::string& name,
                  const std::vector<int64_t>& numbers) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_i(numbers.front());
  for (const int64_t number : numbers) attribute.add_ints(number);
}

TEST(OnnxReader, RefusesShapesThatDoNotFitTheirBytes) {
  const auto of_shape = [](const std::vector<int64_t>& dims) {
    return refusal([&](onnx::GraphProto& graph) { add_numbers(graph, dims); });
  };
  EXPECT_EQ(of_shape({2, 2}), "none");
  EXPECT_THAT(of_shape({5}), HasSubstr("a tensor has 32 bytes for 5 elements"));
  EXPECT_THAT(of_shape({int64_t{1} << 40}), HasSubstr("a tensor has 32 bytes for"));
  EXPECT_THAT(of_shape({-2, -2}), HasSubstr("impossible shape"));
  EXPECT_THAT(of_shape({int64_t{1} << 40, int64_t{1} << 40}), HasSubstr("impossible shape"));
}

TEST(OnnxReader, RefusesExternalDataThatIsNotThere) {
  const auto of_entries = [](const std::string& offset, const std::string& length) {
    return refusal([&](onnx::GraphProto& graph) {
      onnx::TensorProto& tensor = add_numbers(graph, {4});
      tensor.set_data_location(onnx::TensorProto::EXTERNAL);
      const auto add = [&tensor](const char* key, const std::string& value) {
        onnx::StringStringEntryProto& entry = *tensor.add_external_data();
        entry.set_key(key);
        entry.set_value(value);
      };
      add("location", "model.onnx");
      add("offset", offset);
      add("length", length);
    });
  };
  EXPECT_THAT(of_entries("0", "words"), HasSubstr("the length 'words', which is no number"));
  EXPECT_THAT(of_entries("-1", "8"), HasSubstr("the offset '-1', which is no number"));
  EXPECT_THAT(of_entries("8", "18446744073709551615"), HasSubstr("does not hold the tensor w"));
  EXPECT_THAT(of_entries("1000000", "8"), HasSubstr("does not hold the tensor w"));
}

TEST(OnnxReader, RefusesAttributesThatDoNotFit) {
  const auto of_node = [](const std::string& type, const std::string& name,
                          const std::vector<int64_t>& numbers) {
    return refusal([&](onnx::GraphProto& graph) {
      onnx::NodeProto& node = add_node(graph, type);
      node.add_input("w");
      set_integers(node, name, numbers);
    });
  };
  EXPECT_THAT(of_node("Gather", "axis", {7}), HasSubstr("has no dimension 7"));
  EXPECT_THAT(of_node("LayerNormalization", "axis", {5}), HasSubstr("has no dimension 5"));
  EXPECT_THAT(of_node("DequantizeLinear", "axis", {-9}), HasSubstr("node"));
  EXPECT_THAT(of_node("Conv", "pads", {1}), HasSubstr("padding of another rank"));
  EXPECT_THAT(of_node("MaxPool", "pads", {1}), HasSubstr("do not fit"));
  EXPECT_THAT(of_node("MaxPool", "kernel_shape", {1, 1, 1, 1}), HasSubstr("more than three"));
}

TEST(OnnxReader, RefusesAnOutputThatNothingComputes) {
  EXPECT_THAT(refusal([](onnx::GraphProto& graph) { graph.mutable_output(0)->set_name("logits"); }),
              HasSubstr("no node computes logits"));
}

TEST(OnnxReader, RefusesANodeThatGivesNothing) {
  EXPECT_THAT(refusal([](onnx::GraphProto& graph) { add_node(graph, "Relu").clear_output(); }),
              HasSubstr("node gives nothing"));
}

}  // namespace
}  // namespace ptq::exporting
