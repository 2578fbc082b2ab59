#include "base/input_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

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

TEST(InputFile, NoticesASecondYamlDocument) {
  const support::TemporaryFolder folder;
  for (const char* one : {"a: 1\n", "---\na: 1\n", "%YAML 1.2\n# words\n---\na: 1\n...\n",
                          "a: ---\n", "a: |\n  ---\n", "---- a\n---- b\n"}) {
    EXPECT_FALSE(has_second_document(folder.write("one.yaml", one))) << one;
  }
  for (const char* two : {"a: 1\n---\nb: 2\n", "---\na: 1\n--- b\n", "---\n---\n"}) {
    EXPECT_TRUE(has_second_document(folder.write("two.yaml", two))) << two;
  }
}

TEST(InputFile, LooksAtTheSizeFirst) {
  const support::TemporaryFolder folder;
  const std::string sparse = folder.write("sparse", "");
  std::filesystem::resize_file(sparse, uint64_t{30} << 30);
  EXPECT_EQ(input_obstacle(sparse), "has 30.00 GiB, more than the 0.25 GiB that are read");
}

}  // namespace
}  // namespace ptq
