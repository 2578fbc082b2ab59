#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "export/exported_network.h"
#include "export/onnx/file.h"
#include "export/onnx/write/writer.h"
#include "ptq/base/error.h"
#include "support/temporary_folder.h"

namespace ptq::exporting::testing {
namespace {

namespace fs = std::filesystem;
using ptq::testing::GraphBuilder;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

ir::Graph wide_network() {
  GraphBuilder b;
  return b.finish(b.linear(b.flatten(b.conv(b.input(), 16)), 10));
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

class OnnxFile : public ::testing::Test {
 protected:
  at::Tensor run() const {
    return load(path_, Format::kOnnx)->run(ptq::testing::images_for(graph_, 2));
  }
  void write_with_limit(int64_t largest) { write_onnx_file(to_onnx(graph_, {}), path_, largest); }

  const ir::Graph graph_ = wide_network();
  support::TemporaryFolder folder_;
  std::string path_ = folder_.file("model.onnx");
};

TEST_F(OnnxFile, IsOneFile) {
  write({graph_, {}}, Format::kOnnx, {}, path_);
  EXPECT_THAT(files_in(folder_.path()), UnorderedElementsAre("model.onnx"));
}

TEST_F(OnnxFile, KeepsTensorsBesideWhatIsTooLarge) {
  write({graph_, {}}, Format::kOnnx, {}, path_);
  const at::Tensor expected = run();
  write_with_limit(10000);
  EXPECT_THAT(files_in(folder_.path()), UnorderedElementsAre("model.onnx", "model.onnx.data"));
  EXPECT_LT(fs::file_size(path_), 10000U);
  EXPECT_TRUE(at::equal(run(), expected));
}

TEST_F(OnnxFile, LeavesNothingWhereItCannotBeWritten) {
  fs::create_directory(path_ + ".data");
  EXPECT_THAT(error_of([&] { write_with_limit(10000); }), HasSubstr("model.onnx.data"));
  EXPECT_THAT(files_in(folder_.path()), UnorderedElementsAre("model.onnx.data"));
}

TEST_F(OnnxFile, IsCheckedBeforeItIsWritten) {
  onnx::ModelProto model = to_onnx(graph_, {});
  model.mutable_graph()->mutable_node(0)->set_input(0, "nobody");
  EXPECT_THROW(check_onnx_model(model, path_), InternalError);
  model = to_onnx(graph_, {});
  model.mutable_graph()->mutable_node(0)->set_op_type("Convolution");
  EXPECT_THROW(check_onnx_model(model, path_), InternalError);
  model = to_onnx(graph_, {});
  model.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
      onnx::TensorProto::INT8);
  EXPECT_THROW(check_onnx_model(model, path_), InternalError);
}

TEST_F(OnnxFile, IsNamedWhereItCannotBeRead) {
  EXPECT_THAT(error_of([&] { load(path_, Format::kOnnx); }), HasSubstr("model.onnx"));
  folder_.write("model.onnx", "not a model");
  EXPECT_THAT(error_of([&] { load(path_, Format::kOnnx); }), HasSubstr("not an ONNX model"));
  onnx::ModelProto model = to_onnx(graph_, {});
  model.mutable_graph()->mutable_node(0)->set_op_type("LSTM");
  folder_.write("model.onnx", model.SerializeAsString());
  EXPECT_THAT(error_of([&] { load(path_, Format::kOnnx); }), HasSubstr("LSTM"));
}

TEST_F(OnnxFile, GivesItsValuesByName) {
  write({graph_, {}}, Format::kOnnx, {}, path_);
  const auto values = load(path_, Format::kOnnx)
                          ->values(ptq::testing::images_for(graph_, 2), {"linear", "conv", "none"});
  EXPECT_EQ(values.size(), 2U);
  EXPECT_EQ(values.at("conv").dim(), 4);
  EXPECT_TRUE(at::equal(values.at("linear"), run()));
}

TEST_F(OnnxFile, IsCopiedWithOtherOutputs) {
  write({graph_, {}}, Format::kOnnx, {}, path_);
  const std::string copy = folder_.file("copy.onnx");
  EXPECT_THAT(copy_onnx_with_outputs(path_, {"linear", "none", "conv"}, copy),
              ::testing::ElementsAre("linear", "conv"));
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(support::content_of(copy)));
  ASSERT_EQ(model.graph().output_size(), 2);
  EXPECT_EQ(model.graph().output(1).name(), "conv");
}

}  // namespace
}  // namespace ptq::exporting::testing
