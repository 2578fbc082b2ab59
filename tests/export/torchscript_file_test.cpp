#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "base/npy.h"
#include "export/torchscript/text.h"
#include "export/torchscript_network.h"
#include "ptq/base/error.h"
#include "support/program.h"

namespace ptq::exporting {
namespace {

using ::testing::AllOf;
using testing::expect_same;
using testing::exported;
using ::testing::HasSubstr;
using testing::Network;

TEST(TorchScriptText, KeepsWeightsAsIntegersUnderTheModulesNames) {
  Network network;
  ir::Conv& conv = *std::next(network.graph.nodes.begin())->as<ir::Conv>();
  quant::Quantizer bias;
  bias.kind = quant::QuantizerKind::kBias;
  bias.format = quant::IntegerFormat{32, true, false};
  conv.bias_quantizer = network.builder.table.add(bias);
  std::map<std::string, at::ScalarType> types;
  for (const auto& [name, tensor] : script_text({network.graph, network.builder.table}).tensors) {
    types[name] = tensor.scalar_type();
  }
  const std::map<std::string, at::ScalarType> expected = {
      {"fake_quantize.scale", at::kFloat},     {"features.0.weight", at::kChar},
      {"features.0.weight_scale", at::kFloat}, {"features.0.bias", at::kInt},
      {"features.0.bias_scale", at::kFloat},
  };
  EXPECT_EQ(types, expected);
}

TEST(TorchScriptText, TakesAnyName) {
  for (const char* name : {"class", "training", "forward", "a.forward", "0", "a b.c-d",
                           "\"quoted\"", "self", "images", "batch", "fake_quantize.scale"}) {
    SCOPED_TRACE(name);
    const Network network(name);
    expect_same({network.graph, network.builder.table});
  }
}

TEST(TorchScriptFile, KeepsTheMetadata) {
  const support::TemporaryFolder folder;
  const Network network;
  ExportOptions options;
  options.metadata["configuration"] = "weights of 8 bits";
  write_torchscript({network.graph, network.builder.table}, options, folder.file("network.pt"));
  EXPECT_THAT(support::content_of(folder.file("network.pt")),
              AllOf(HasSubstr("extra/configuration"), HasSubstr("weights of 8 bits")));
}

TEST(TorchScriptFile, ThatIsDamagedIsNamed) {
  const support::TemporaryFolder folder;
  const std::string path = folder.write("broken.pt", "PK");
  try {
    load_torchscript(path);
    FAIL() << "must be refused";
  } catch (const ExportError& error) {
    EXPECT_THAT(error.what(), HasSubstr(path));
  }
}

/// Files of this process cannot grow beyond `bytes` while it lives.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(TorchScriptFile, LeavesNothingOnAFullDisk) {
  const support::TemporaryFolder folder;
  const Network network;
  const std::string path = folder.file("network.pt");
  for (const rlim_t bytes : {1, 500, 3000}) {
    SCOPED_TRACE(bytes);
    const SmallDisk disk(bytes);
    EXPECT_THROW(write_torchscript({network.graph, network.builder.table}, {}, path), OutputError);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  }
}

constexpr const char* kPython = "/usr/bin/python3";

TEST(TorchScriptFile, RunsInPython) {
  const support::TemporaryFolder folder;
  const Network network;
  const auto model = exported({network.graph, network.builder.table}, folder);
  const at::Tensor images = ptq::testing::images_for(network.graph, 5);
  const at::Tensor logits = model->run(images);
  write_npy(folder.file("images.npy"), images.data_ptr<float>(), 5, 3 * 8 * 8);
  write_npy(folder.file("logits.npy"), logits.data_ptr<float>(), 5, logits.size(1));
  const support::ProgramResult result = support::run_program(
      kPython, {PTQ_EXPORT_TESTS "/run_in_python.py", folder.path(), "3", "8", "8"});
  if (result.exit_code == 77) GTEST_SKIP() << "python3-torch is not installed";
  EXPECT_EQ(result.exit_code, 0) << result.err << result.out;
}

}  // namespace
}  // namespace ptq::exporting
