#include <gtest/gtest.h>
#include <png.h>
#include <sys/wait.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "ptq/base/error.h"

namespace ptq {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kPixels = 28 * 28;

struct Outcome {
  int exit_code = -1;
  std::string output;
};

void append_number(Bytes& bytes, std::size_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

/// `count` images; every pixel of image i is `first` + i.
Bytes idx_images(std::size_t count, std::uint8_t first) {
  Bytes bytes;
  for (const std::size_t number : {std::size_t{0x803}, count, std::size_t{28}, std::size_t{28}}) {
    append_number(bytes, number);
  }
  for (std::size_t i = 0; i < count; ++i) {
    bytes.insert(bytes.end(), kPixels, static_cast<std::uint8_t>(first + i));
  }
  return bytes;
}

/// Labels 9, 8, ... 0, 9, 8, ...
Bytes idx_labels(std::size_t count) {
  Bytes bytes;
  append_number(bytes, 0x801);
  append_number(bytes, count);
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(9 - i % 10));
  return bytes;
}

void write_gzip(const fs::path& path, const Bytes& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr) << path;
  EXPECT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())),
            static_cast<int>(bytes.size()));
  EXPECT_EQ(gzclose(file), Z_OK);
}

Bytes read_grey_png(const fs::path& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&image, path.c_str()) == 0) return {};
  EXPECT_EQ(image.format, PNG_FORMAT_GRAY) << path;
  image.format = PNG_FORMAT_GRAY;
  Bytes pixels(PNG_IMAGE_SIZE(image));
  png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr);
  return pixels;
}

std::size_t files_below(const fs::path& folder) {
  std::size_t count = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    count += entry.is_regular_file() ? 1 : 0;
  }
  return count;
}

/// A data set of 30 training images (pixels 100, 101, ...) and 20 test images (pixels 0, 1, ...).
class ExtractFashionMnist : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "extract-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::create_directory(source());
    write("train-images-idx3-ubyte.gz", idx_images(30, 100));
    write("train-labels-idx1-ubyte.gz", idx_labels(30));
    write("t10k-images-idx3-ubyte.gz", idx_images(20, 0));
    write("t10k-labels-idx1-ubyte.gz", idx_labels(20));
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path source() const { return folder_ / "source"; }
  fs::path out() const { return folder_ / "out"; }

  void write(const std::string& name, const Bytes& bytes) { write_gzip(source() / name, bytes); }

  Outcome run(const std::string& arguments) const {
    const std::string command = std::string(PTQ_EXTRACT_FASHION_MNIST) + " " + arguments + " 2>&1";
    std::FILE* pipe = popen(command.c_str(), "r");
    Outcome outcome;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
      outcome.output.push_back(static_cast<char>(c));
    }
    outcome.exit_code = WEXITSTATUS(pclose(pipe));
    return outcome;
  }

  Outcome extract(const std::string& more = "") const {
    return run("--source " + source().string() + " --out " + out().string() +
               " --calibration-per-class 1 --validation-per-class 2 " + more);
  }

  void expect_refusal(const Outcome& outcome, ExitCode code, const std::string& message) const {
    EXPECT_EQ(outcome.exit_code, static_cast<int>(code)) << outcome.output;
    EXPECT_NE(outcome.output.find(message), std::string::npos) << outcome.output;
    std::vector<std::string> left;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
      left.push_back(entry.path().filename().string());
    }
    EXPECT_EQ(left, std::vector<std::string>{"source"}) << "something half-written was left";
  }

  fs::path folder_;
};

TEST_F(ExtractFashionMnist, WritesEachImageUnderItsClass) {
  const Outcome outcome = extract();
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_EQ(files_below(out() / "calibration"), 10U);
  EXPECT_EQ(files_below(out() / "validation"), 20U);
  // Test image 10 is the second of label 9, training image 3 the first of label 6.
  EXPECT_EQ(read_grey_png(out() / "validation/9-ankle-boot/00010.png"), Bytes(kPixels, 10));
  EXPECT_EQ(read_grey_png(out() / "calibration/6-shirt/00003.png"), Bytes(kPixels, 103));
}

TEST_F(ExtractFashionMnist, NamesFoldersSoThatTheySortByLabel) {
  ASSERT_EQ(extract().exit_code, 0);
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(out() / "validation")) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  ASSERT_EQ(names.size(), 10U);
  // Test image 9 - L is the first of label L.
  for (std::size_t label = 0; label < 10; ++label) {
    const fs::path first =
        out() / "validation" / names[label] / ("0000" + std::to_string(9 - label) + ".png");
    EXPECT_TRUE(fs::exists(first)) << first;
  }
}

TEST_F(ExtractFashionMnist, NamesAMissingFile) {
  fs::remove(source() / "t10k-labels-idx1-ubyte.gz");
  expect_refusal(extract(), ExitCode::kData, "t10k-labels-idx1-ubyte.gz: cannot be opened");
}

TEST_F(ExtractFashionMnist, RefusesAFileOfAnotherKind) {
  write("train-labels-idx1-ubyte.gz", idx_images(1, 0));
  expect_refusal(extract(), ExitCode::kData, "its magic number is 2051, not 2049");
}

TEST_F(ExtractFashionMnist, RefusesAFileCutShort) {
  const fs::path path = source() / "train-images-idx3-ubyte.gz";
  fs::resize_file(path, fs::file_size(path) / 2);
  expect_refusal(extract(), ExitCode::kData, "train-images-idx3-ubyte.gz: damaged or cut short");
}

TEST_F(ExtractFashionMnist, RefusesBytesAfterTheLastImage) {
  Bytes bytes = idx_images(20, 0);
  bytes.push_back(0);
  write("t10k-images-idx3-ubyte.gz", bytes);
  expect_refusal(extract(), ExitCode::kData, "longer than its header says");
}

TEST_F(ExtractFashionMnist, RefusesAnEmptyFile) {
  std::ofstream(source() / "train-images-idx3-ubyte.gz", std::ios::trunc);
  expect_refusal(extract(), ExitCode::kData, "train-images-idx3-ubyte.gz: damaged or cut short");
}

TEST_F(ExtractFashionMnist, RefusesAnAbsurdCount) {
  Bytes bytes;
  append_number(bytes, 0x801);
  append_number(bytes, 0xFFFFFFFF);
  write("train-labels-idx1-ubyte.gz", bytes);
  expect_refusal(extract(), ExitCode::kData, "announces 4294967295 entries");
}

TEST_F(ExtractFashionMnist, RefusesOtherCountsOfImagesAndLabels) {
  write("t10k-labels-idx1-ubyte.gz", idx_labels(19));
  expect_refusal(extract(), ExitCode::kData, "20 images, but 19 labels");
}

TEST_F(ExtractFashionMnist, RefusesALabelOutsideTheClasses) {
  Bytes labels = idx_labels(20);
  labels.back() = 10;
  write("t10k-labels-idx1-ubyte.gz", labels);
  expect_refusal(extract(), ExitCode::kData, "label 10 is not one of the 10 classes");
}

TEST_F(ExtractFashionMnist, RefusesMoreImagesThanAClassHas) {
  const Outcome outcome = run("--source " + source().string() + " --out " + out().string() +
                              " --calibration-per-class 4 --validation-per-class 2");
  expect_refusal(
      outcome, ExitCode::kData,
      "0-t-shirt-top: 4 images were requested for the calibration folder, the split has 3");
}

TEST_F(ExtractFashionMnist, LeavesAnExistingFolderAlone) {
  fs::create_directory(out());
  const Outcome outcome = extract();
  EXPECT_EQ(outcome.exit_code, static_cast<int>(ExitCode::kOutput));
  EXPECT_NE(outcome.output.find("exists already"), std::string::npos) << outcome.output;
  EXPECT_TRUE(fs::is_empty(out()));
}

TEST_F(ExtractFashionMnist, RefusesAFolderThatCannotBeMade) {
  const Outcome outcome =
      run("--source " + source().string() + " --out " + (folder_ / "missing/out").string() +
          " --calibration-per-class 1 --validation-per-class 2");
  expect_refusal(outcome, ExitCode::kOutput, "missing/out: cannot be created (No such file");
}

TEST_F(ExtractFashionMnist, RefusesWrongUsage) {
  expect_refusal(run(""), ExitCode::kUsage, "--out is required");
  expect_refusal(extract("--colour"), ExitCode::kUsage, "--colour");
  expect_refusal(run("--out " + out().string() + " --validation-per-class 0"), ExitCode::kUsage,
                 "--validation-per-class");
}

}  // namespace
}  // namespace ptq
