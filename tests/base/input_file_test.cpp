#include "base/input_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string_view>
#include <vector>

#include "support/temporary_folder.h"

namespace ptq {
namespace {

TEST(InputFile, SaysWhatSpeaksAgainstOpeningIt) {
  const support::TemporaryFolder folder;
  EXPECT_EQ(input_obstacle(folder.write("text", "words")), "");
  EXPECT_EQ(input_obstacle(folder.file("missing")), "") << "opening it says so";
  EXPECT_EQ(input_obstacle(folder.path()), "is a folder, not a file");
  EXPECT_EQ(input_obstacle("/dev/zero"), "is a pipe or a device, not a file");
  ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0600), 0);
  EXPECT_EQ(input_obstacle(folder.file("pipe")), "is a pipe or a device, not a file");
}

TEST(InputFile, ReadsAFileWhole) {
  const support::TemporaryFolder folder;
  const std::string words(200'000, 'w');
  EXPECT_EQ(read_input(folder.write("text", words)).bytes, words);
  EXPECT_EQ(read_input(folder.write("text", words)).obstacle, "");
  EXPECT_EQ(read_input(folder.write("empty", "")).obstacle, "");
}

TEST(InputFile, SaysWhyAFileCannotBeRead) {
  const support::TemporaryFolder folder;
  const auto obstacle = [](const std::string& path) {
    const InputText text = read_input(path, 1 << 20);
    EXPECT_EQ(text.bytes, "") << path;
    return text.obstacle;
  };
  EXPECT_EQ(obstacle(folder.file("missing")), "cannot be read: No such file or directory");
  EXPECT_EQ(obstacle(folder.path()), "is a folder, not a file");
  EXPECT_EQ(obstacle("/proc/self/mem"), "cannot be read: Input/output error");
  EXPECT_EQ(obstacle("/proc/self/pagemap"), "has more than the 1 MiB that are read")
      << "its size is said to be 0";
}

TEST(InputFile, IsTakenLineByLine) {
  std::string_view rest = "one\n\ntwo";
  std::vector<std::string> lines;
  for (std::string line; take_line(rest, line);) lines.push_back(line);
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "", "two"}));
  rest = "one\n";
  std::string line;
  EXPECT_TRUE(take_line(rest, line));
  EXPECT_FALSE(take_line(rest, line));
}

TEST(InputFile, NoticesASecondYamlDocument) {
  for (const char* one : {"a: 1\n", "---\na: 1\n", "%YAML 1.2\n# words\n---\na: 1\n...\n",
                          "a: ---\n", "a: |\n  ---\n", "---- a\n---- b\n"}) {
    EXPECT_FALSE(has_second_document(one)) << one;
  }
  for (const char* two : {"a: 1\n---\nb: 2\n", "---\na: 1\n--- b\n", "---\n---\n"}) {
    EXPECT_TRUE(has_second_document(two)) << two;
  }
}

TEST(InputFile, LooksAtTheSizeFirst) {
  const support::TemporaryFolder folder;
  const std::string sparse = folder.write("sparse", "");
  std::filesystem::resize_file(sparse, uint64_t{30} << 30);
  EXPECT_EQ(input_obstacle(sparse), "has 30.00 GiB, more than the 256 MiB that are read");
}

}  // namespace
}  // namespace ptq
