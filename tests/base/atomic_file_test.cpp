#include "base/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/npy.h"
#include "ptq/base/error.h"
#include "support/temporary_folder.h"

namespace ptq {
namespace {

using support::content_of;
using ::testing::HasSubstr;

size_t entries(const support::TemporaryFolder& folder) {
  const std::filesystem::directory_iterator begin(folder.path());
  return static_cast<size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

std::string refusal_of(const std::string& path) {
  try {
    require_writable(path);
  } catch (const OutputError& error) {
    return error.what();
  }
  return "";
}

TEST(AtomicFile, AppearsWithCommit) {
  const support::TemporaryFolder folder;
  const std::string path = folder.file("report.json");
  AtomicFile file(path);
  file.stream() << "whole";
  EXPECT_FALSE(std::filesystem::exists(path));
  file.commit();
  EXPECT_EQ(content_of(path), "whole");
  EXPECT_EQ(entries(folder), 1U);
}

TEST(AtomicFile, LeavesTheOldFileAndNothingElseWithoutCommit) {
  const support::TemporaryFolder folder;
  const std::string path = folder.write("report.json", "old");
  { AtomicFile(path).stream() << "half"; }
  EXPECT_EQ(content_of(path), "old");
  EXPECT_EQ(entries(folder), 1U);
}

TEST(AtomicFile, TakesTheLongestNameThatTheFileSystemDoes) {
  const support::TemporaryFolder folder;
  const std::string path = folder.file(std::string(255, 'n'));
  AtomicFile file(path);
  file.stream() << "whole";
  file.commit();
  EXPECT_EQ(content_of(path), "whole");
}

TEST(AtomicFile, ReplacesAnOlderFile) {
  const support::TemporaryFolder folder;
  const std::string path = folder.write("report.json", "old and longer");
  AtomicFile file(path);
  file.stream() << "new";
  file.commit();
  EXPECT_EQ(content_of(path), "new");
}

TEST(AtomicFile, RefusesToCommitAfterAFailedWrite) {
  const support::TemporaryFolder folder;
  const std::string path = folder.write("report.json", "old");
  {
    AtomicFile file(path);
    file.stream() << "half";
    file.stream().setstate(std::ios::badbit);
    EXPECT_THROW(file.commit(), OutputError);
  }
  EXPECT_EQ(content_of(path), "old");
  EXPECT_EQ(entries(folder), 1U);
}

TEST(AtomicFile, WritesThroughALinkAndKeepsIt) {
  const support::TemporaryFolder folder;
  const std::string target = folder.write("target", "old");
  std::filesystem::create_symlink("target", folder.file("link"));
  AtomicFile file(folder.file("link"));
  file.stream() << "new";
  file.commit();
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
  EXPECT_EQ(content_of(target), "new");
}

TEST(AtomicFile, WritesIntoADevice) {
  AtomicFile file("/dev/null");
  file.stream() << "nothing";
  file.commit();
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(AtomicFile, SaysThatNobodyReadsAPipe) {
  const support::TemporaryFolder folder;
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(refusal_of(pipe), "");
  try {
    AtomicFile file(pipe);
    FAIL() << "opened";
  } catch (const OutputError& error) {
    EXPECT_EQ(std::string(error.what()), pipe + " cannot be written: nobody reads the pipe");
  }
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST(RequireWritable, AcceptsNewAndExistingFilesAndCreatesNothing) {
  const support::TemporaryFolder folder;
  EXPECT_EQ(refusal_of(folder.path() + "/new.json"), "");
  EXPECT_EQ(entries(folder), 0U);
  EXPECT_EQ(refusal_of(folder.write("old.json", "{}")), "");
  EXPECT_EQ(refusal_of("in_the_working_folder.json"), "");
}

TEST(RequireWritable, NamesAMissingFolder) {
  const support::TemporaryFolder folder;
  EXPECT_THAT(refusal_of(folder.path() + "/none/report.json"),
              HasSubstr("there is no folder " + folder.path() + "/none"));
}

TEST(RequireWritable, RefusesAFolder) {
  const support::TemporaryFolder folder;
  EXPECT_THAT(refusal_of(folder.path()), HasSubstr("is a folder, not a file name"));
  EXPECT_THAT(refusal_of(folder.path() + "/"), HasSubstr("is a folder, not a file name"));
}

TEST(RequireWritable, NamesAFolderWithoutPermission) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const support::TemporaryFolder folder;
  chmod(folder.path().c_str(), 0500);
  EXPECT_THAT(refusal_of(folder.path() + "/report.json"), HasSubstr("is not writable"));
  chmod(folder.path().c_str(), 0700);
}

// Bytes by the format's description: magic, 1.0, header length 118 = 128 - 10, padded dictionary.
TEST(WriteNpy, WritesVersionOneWithAlignedData) {
  const support::TemporaryFolder folder;
  const std::string path = folder.file("logits.npy");
  const float values[] = {1, 2, 3, 4, 5, 6};
  write_npy(path, values, 2, 3);
  const std::string content = content_of(path);
  ASSERT_EQ(content.size(), 128 + sizeof values);
  EXPECT_EQ(content.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_THAT(content.substr(10, 118),
              ::testing::StartsWith("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"));
  EXPECT_EQ(content[127], '\n');
  EXPECT_EQ(content.substr(128), std::string(reinterpret_cast<const char*>(values), sizeof values));
}

TEST(WriteNpy, WritesAnEmptyArray) {
  const support::TemporaryFolder folder;
  write_npy(folder.file("empty.npy"), nullptr, 0, 10);
  EXPECT_EQ(content_of(folder.path() + "/empty.npy").size(), 128U);
}

}  // namespace
}  // namespace ptq
