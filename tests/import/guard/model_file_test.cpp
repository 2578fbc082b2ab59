#include "import/guard/model_file.h"

#include <ATen/ops/ones.h>
#include <caffe2/serialize/inline_container.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <random>

#include "import/guard/archive.h"
#include "import/imported.h"

namespace ptq::import {
namespace {

constexpr const char* kScalingForward = R"(
  def forward(self, x):
    return torch.mul(x, self.scale).mean([2, 3])
)";

void save_scaling_model(const std::string& path) {
  support::ScriptModel model;
  model.parameter("scale", at::ones({3, 8, 8})).code(kScalingForward);
  model.save(path);
}

std::string file_refusal(const std::string& path, ModelTrust trust = ModelTrust::kCheck) {
  try {
    check_model_file(path, trust);
  } catch (const ImportError& error) {
    return error.what();
  }
  return "";
}

class ModelFile : public ::testing::Test {
 protected:
  ModelFile() {
    save_scaling_model(folder_.file("model.pt"));
    whole_ = support::content_of(folder_.file("model.pt"));
  }
  std::string changed(size_t at, char value) {
    std::string bytes = whole_;
    bytes[at] = value;
    return folder_.write("changed.pt", bytes);
  }

  support::TemporaryFolder folder_;
  std::string whole_;
};

TEST_F(ModelFile, AcceptsWhatLibTorchWrites) {
  EXPECT_EQ(file_refusal(folder_.file("model.pt")), "");
}

TEST_F(ModelFile, NoticesEveryBitOfARecordThatFlips) {
  const Archive archive(folder_.file("model.pt"));
  std::mt19937 random(1);
  for (const Record& record : archive.records()) {
    for (int i = 0; i < 8 && record.stored_size > 0; ++i) {
      const size_t at = record.data_offset + random() % record.stored_size;
      const auto bit = static_cast<unsigned>(random() % 8);
      const std::string path = changed(at, static_cast<char>(whole_[at] ^ (1U << bit)));
      EXPECT_NE(file_refusal(path), "") << record.name << " at " << at;
    }
  }
}

TEST_F(ModelFile, SaysWhichRecordIsDamaged) {
  const Archive archive(folder_.file("model.pt"));
  const Record* data = archive.find("data/0");
  ASSERT_NE(data, nullptr);
  const std::string path = changed(data->data_offset, '\7');
  EXPECT_EQ(file_refusal(path), "is damaged: 'data/0' does not match its checksum");
  EXPECT_EQ(file_refusal(path, ModelTrust::kTrust), file_refusal(path));
}

TEST_F(ModelFile, RefusesAVersionThatIsNoSmallNumber) {
  const Archive archive(folder_.file("model.pt"));
  const Record* version = archive.find("version");
  ASSERT_NE(version, nullptr);
  const std::string text(version->size, '-');
  std::string bytes = whole_;
  bytes.replace(version->data_offset, text.size(), text);
  const auto four_bytes = [](uint64_t sum) {
    return std::string(reinterpret_cast<char*>(&sum), 4);
  };
  const std::string before = four_bytes(version->crc);
  const std::string after = four_bytes(
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
  for (size_t at = 0; (at = bytes.find(before, at)) != std::string::npos; at += after.size()) {
    bytes.replace(at, after.size(), after);
  }
  const std::string refused = file_refusal(folder_.write("changed.pt", bytes));
  EXPECT_NE(refused.find("its version is '-"), std::string::npos) << refused;
}

TEST_F(ModelFile, RefusesEveryTruncation) {
  for (size_t size = 1; size < whole_.size(); size += 97) {
    EXPECT_NE(file_refusal(folder_.write("cut.pt", whole_.substr(0, size))), "") << size;
  }
}

TEST_F(ModelFile, RefusesOperatorsThatWriteBeforeAnyCodeRuns) {
  const std::string target = folder_.file("written");
  support::ScriptModel writes;
  writes.code("\n  def forward(self, x):\n    torch.save(x, \"" + target +
              "\")\n    return x.mean([2, 3])\n");
  EXPECT_NE(refusal_of(writes).find("uses the operator 'save'"), std::string::npos)
      << refusal_of(writes);
  EXPECT_FALSE(std::filesystem::exists(target));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// LibTorch finds a file whatever the case of its name.
TEST_F(ModelFile, ReadsCodeUnderANameInCapitals) {
  support::ScriptModel writes;
  writes.code("\n  def forward(self, x):\n    torch.save(x, \"f\")\n    return x\n");
  writes.save(folder_.file("writes.pt"));
  const std::string bytes = support::content_of(folder_.file("writes.pt"));
  for (const auto& [from, to] : {std::pair("code/", "CODE/"), std::pair(".py", ".PY")}) {
    const std::string refused = file_refusal(folder_.write("f.pt", replaced(bytes, from, to)));
    EXPECT_NE(refused.find("uses the operator 'save'"), std::string::npos) << refused;
  }
}

// LibTorch takes the last end for the archive's, whether its comment's length fits or not.
TEST_F(ModelFile, RefusesAnotherEndInTheCommentOfTheEnd) {
  constexpr size_t kEnd = 22;
  std::string inner = whole_.substr(whole_.size() - kEnd);
  inner[kEnd - 2] = 1;
  std::string bytes = whole_ + inner;
  bytes[whole_.size() - 2] = kEnd;
  EXPECT_NE(file_refusal(folder_.write("two.pt", bytes)).find("is damaged"), std::string::npos);
}

TEST_F(ModelFile, RefusesFilesThatLibTorchReadsAsAnotherFormat) {
  const std::string flat = whole_.substr(0, 4) + "PTMF" + whole_.substr(8);
  EXPECT_EQ(file_refusal(folder_.write("flat.pt", flat)).rfind("is not a TorchScript file", 0), 0U);
  caffe2::serialize::PyTorchStreamWriter writer(folder_.file("old.pt"));
  for (const char* name : {"Model.json", "data.pkl", "constants.pkl"}) {
    writer.writeRecord(name, "{}", 2);
  }
  writer.writeEndOfFile();
  EXPECT_EQ(file_refusal(folder_.file("old.pt")).rfind("holds a model.json", 0), 0U);
}

TEST_F(ModelFile, StopsLoopsWithoutEnd) {
  const std::string refused = refusal_of(R"(
  def forward(self, x):
    y = x
    for i in range(1000000000):
      y = torch.mul(y, 1.0)
    return y.mean([2, 3])
)");
  EXPECT_NE(refused.find("--trust-model lifts the limit"), std::string::npos) << refused;
}

TEST_F(ModelFile, StopsTensorsThatFitNoMemory) {
  const std::string refused = refusal_of(R"(
  def forward(self, x):
    return x.mean([2, 3]) + torch.ones([100000, 100000]).sum()
)");
  EXPECT_NE(refused, "imported without complaint");
  EXPECT_NE(refused.find("memory"), std::string::npos) << refused;
}

}  // namespace
}  // namespace ptq::import
