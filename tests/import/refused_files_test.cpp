#include <ATen/ops/full.h>
#include <caffe2/serialize/inline_container.h>

#include <limits>

#include "import/imported.h"
#include "import/load_reason.h"

namespace ptq::import {
namespace {

using support::ScriptModel;
using support::TemporaryFolder;

constexpr const char* kMean = R"(
    def forward(self, x):
      return x.mean([2, 3])
)";

TEST(RefusedFile, NamesAMissingFile) {
  EXPECT_EQ(refusal_of_file("/no/such/model.pt"), "there is no such file");
}

TEST(RefusedFile, NamesAFolder) {
  const TemporaryFolder folder;
  EXPECT_EQ(refusal_of_file(folder.path()), "is not a file");
}

TEST(RefusedFile, NamesAnEmptyFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(refusal_of_file(folder.write("model.pt", "")), "the file is empty");
}

TEST(RefusedFile, NamesATextFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(refusal_of_file(folder.write("model.pt", "hello\n")),
            "is not a TorchScript file, which torch.jit.save writes as a zip archive");
}

void write_archive(const std::string& path, const std::string& record) {
  caffe2::serialize::PyTorchStreamWriter writer(path);
  writer.writeRecord(record, "content", 7);
  writer.writeEndOfFile();
}

TEST(RefusedFile, NamesAZipThatIsNotTorchScript) {
  const TemporaryFolder folder;
  write_archive(folder.file("model.pt"), "readme.txt");
  EXPECT_EQ(refusal_of_file(folder.file("model.pt")), "is a zip archive, but not TorchScript");
}

TEST(RefusedFile, NamesAnExportedProgram) {
  for (const char* record : {"serialized_exported_program.json", "archive_format"}) {
    const TemporaryFolder folder;
    write_archive(folder.file("model.pt"), record);
    EXPECT_EQ(refusal_of_file(folder.file("model.pt")).rfind("is an exported program, as ", 0), 0U)
        << refusal_of_file(folder.file("model.pt"));
  }
}

TEST(RefusedFile, NamesTheOperatorThatATensorWithoutNameBelongsTo) {
  EXPECT_EQ(refusal_of(R"(
    def forward(self, x):
      return torch.linear(x.mean([2, 3]), torch.full([4, 3], float("nan")))
  )"),
            "weight of linear (aten::linear) holds values that are not finite (NaN or infinity), "
            "given images [2, 3, 8, 8]");
}

TEST(LoadReason, TellsAFileOfANewerLibTorch) {
  const std::string unknown =
      load_reason(std::runtime_error("\nUnknown builtin op: aten::later.\nHere it is."));
  EXPECT_EQ(unknown.rfind("it uses the operator aten::later, which this LibTorch (", 0), 0U)
      << unknown;
  const std::string foreign =
      load_reason(std::runtime_error("\nUnknown builtin op: torchvision::nms.\n"));
  EXPECT_NE(foreign.find("does not have; an extension of LibTorch has it"), std::string::npos)
      << foreign;
  const std::string arguments = load_reason(std::runtime_error(
      "\nArguments for call are not valid.\nThe following variants are available:\n  \n  "
      "aten::add.Tensor(Tensor self) -> Tensor:\n  Expected at most 1 argument.\n"));
  EXPECT_EQ(arguments.rfind("it calls aten::add with arguments that this LibTorch (", 0), 0U)
      << arguments;
  EXPECT_EQ(load_reason(std::runtime_error("expected ) but found ':' here:\n  x\n")),
            "expected ) but found ':'");
}

TEST(RefusedFile, NamesAStateDict) {
  const TemporaryFolder folder;
  write_archive(folder.file("model.pt"), "data.pkl");
  EXPECT_EQ(refusal_of_file(folder.file("model.pt")),
            "holds tensors without code, as torch.save writes them (a state_dict?); a TorchScript "
            "file from torch.jit.save is needed");
}

TEST(RefusedFile, SaysWhyADamagedFileCannotBeRead) {
  const TemporaryFolder folder;
  ScriptModel().code(kMean).save(folder.file("model.pt"));
  const std::string whole = support::content_of(folder.file("model.pt"));
  const std::string half = folder.write("half.pt", whole.substr(0, whole.size() / 2));
  EXPECT_EQ(refusal_of_file(half),
            "is not a whole zip archive, so not a TorchScript file: its end is missing");
}

TEST(RefusedFile, NamesAParameterThatIsNotFinite) {
  for (const double value : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    ScriptModel model;
    model.parameter("scale", at::full({3, 1, 1}, value)).code(R"(
      def forward(self, x):
        return (x * self.scale).mean([2, 3])
    )");
    EXPECT_EQ(refusal_of(model), "scale holds values that are not finite (NaN or infinity)");
  }
}

TEST(RefusedFile, NamesANestedBufferThatIsNotANumber) {
  ScriptModel inner, outer;
  inner.buffer("running_var", at::full({3}, std::numeric_limits<double>::infinity())).code(kMean);
  outer.child("norm", inner).code(R"(
    def forward(self, x):
      return self.norm.forward(x)
  )");
  EXPECT_EQ(refusal_of(outer),
            "norm.running_var holds values that are not finite (NaN or infinity)");
}

TEST(RefusedFile, AllowsInfinityInAMask) {
  ScriptModel model;
  model.buffer("mask", at::full({3}, -std::numeric_limits<double>::infinity())).code(R"(
    def forward(self, x):
      return x.mean([2, 3]) + self.mask
  )");
  EXPECT_EQ(refusal_of(model), "imported without complaint");
}

}  // namespace
}  // namespace ptq::import
