// Archives in place of folders.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "data/checksums.h"
#include "data/item_file.h"
#include "data/tar.h"
#include "imagenet_files.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string member(const std::string& name, const std::string& content, char kind = '0') {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  char size[12], sum[8];
  std::snprintf(size, sizeof size, "%011zo", content.size());
  header.replace(124, 11, size);
  header[156] = kind;
  header.replace(148, 8, 8, ' ');
  unsigned total = 0;
  for (const char c : header) total += static_cast<unsigned char>(c);
  std::snprintf(sum, sizeof sum, "%06o", total);
  header.replace(148, 7, sum, 7);
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

std::string tar_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string tar;
  for (const auto& [name, content] : files) tar += member(name, content);
  return tar + std::string(1024, '\0');
}

TEST(Tar, LongNamesOfFoldersAreNotThoseOfFiles) {
  const support::TemporaryFolder folder;
  const std::string long_folder = std::string(150, 'a') + "/";
  const std::string archive = folder.write(
      "a.tar", member("././@LongLink", long_folder, 'L') + member("a", "", '5') +
                   member("././@LongLink", long_folder + "1.png", 'L') +
                   member("././@LongLink", "a link's target", 'K') + member("b", "one") +
                   member("2.png", "two") + std::string(1024, '\0'));
  const std::vector<TarMember> members = read_tar(archive);
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].name, long_folder + "1.png");
  EXPECT_EQ(members[1].name, "2.png");
}

TEST(Archives, AnArchiveIsReadInPlace) {
  const support::TemporaryFolder folder;
  const std::string archive =
      folder.write("ILSVRC2012_img_val.tar", tar_of({{val(2), bytes_of_grey(20)},
                                                     {"./" + val(1), bytes_of_grey(10)},
                                                     {"._" + val(1), "not an image"}}));
  folder.write(kGroundTruth, "1\n2\n");
  folder.write("synsets.txt", kSynsets);
  for (const std::string& place : {archive, folder.path()}) {
    const ImageFolder images = open_image_folder(place);
    ASSERT_EQ(images.items.size(), 2U) << place;
    EXPECT_EQ(images.passed_over, 1) << place;
    std::vector<std::pair<int, int64_t>> seen;
    const std::vector<int> values = greys(images);
    for (size_t i = 0; i < 2; ++i) seen.emplace_back(values[i], images.items[i].label);
    EXPECT_THAT(seen, ::testing::UnorderedElementsAre(std::pair(10, 2), std::pair(20, 0))) << place;
  }
}

TEST(Archives, AClassMayBeAnArchive) {
  const support::TemporaryFolder folder;
  folder.write("n02.tar", tar_of({{"n02_1.JPEG", bytes_of_grey(20)}}));
  folder.write("n01.tar",
               tar_of({{"n01_1.JPEG", bytes_of_grey(10)}, {"n01_2.JPEG", bytes_of_grey(11)}}));
  const ImageFolder images = open_image_folder(folder.path());
  EXPECT_THAT(images.classes, ElementsAre("n01", "n02"));
  EXPECT_THAT(greys(images), ElementsAre(10, 11, 20));
  EXPECT_EQ(images.items.back().label, 1);
  EXPECT_EQ(images.items.back().path, folder.file("n02.tar") + "/n02_1.JPEG");
}

// valprep.sh leaves the archive among the folders that it makes.
TEST(Archives, AnArchiveBesideClassFoldersIsNoClass) {
  const support::TemporaryFolder folder;
  folder.write("ILSVRC2012_img_val.tar", tar_of({{val(1), bytes_of_grey(10)}}));
  folder.write("n01/" + val(1), bytes_of_grey(10));
  folder.write("n02.tar", tar_of({{val(2), bytes_of_grey(20)}}));
  folder.write("n02/" + val(2), bytes_of_grey(20));
  const ImageFolder images = open_image_folder(folder.path());
  EXPECT_THAT(images.classes, ElementsAre("n01", "n02"));
  EXPECT_EQ(images.items.size(), 2U);
  EXPECT_EQ(images.passed_over, 2);
}

TEST(Archives, AnArchiveMayHoldTheFoldersOrArchivesOfAllClasses) {
  const support::TemporaryFolder folder;
  const std::string first = bytes_of_grey(10), second = bytes_of_grey(20);
  const std::string of_archives =
      tar_of({{"n02.tar", tar_of({{"n02_1.JPEG", second}})},
              {"n01.tar", tar_of({{"./n01_1.JPEG", first}, {"._n01_1.JPEG", "not an image"}})}});
  const std::string of_folders =
      tar_of({{"train/n02/n02_1.JPEG", second}, {"./train/n01/n01_1.JPEG", first}});
  // Numbers at the ends of names are not those of the devkit.
  folder.write(kGroundTruth, "1\n");
  folder.write("synsets.txt", kSynsets);
  for (const std::string& content : {of_archives, of_folders}) {
    const std::string archive = folder.write("train.tar", content);
    for (const std::string& place : {archive, folder.path()}) {
      const ImageFolder images = open_image_folder(place);
      EXPECT_THAT(images.classes, ElementsAre("n01", "n02"));
      ASSERT_EQ(images.items.size(), 2U);
      EXPECT_EQ(images.items[1].label, 1);
      EXPECT_THAT(greys(images), ElementsAre(10, 20));
      EXPECT_EQ(item_at(images.items[0].path).offset, images.items[0].offset);
    }
  }
}

TEST(Archives, ADamagedArchiveInAnArchiveIsNamed) {
  const support::TemporaryFolder folder;
  const std::string archive = folder.write("train.tar", tar_of({{"n01.tar", "no archive"}}));
  EXPECT_EQ(message_of<DataError>([&] { open_image_folder(archive); }),
            archive + "/n01.tar is truncated");
}

TEST(Archives, ArchivesHaveNamesOfAnyLength) {
  const support::TemporaryFolder folder;
  const std::string name = std::string(120, 'n') + ".JPEG";
  const std::string record = " path=" + name + "\n";
  folder.write("n01.tar", member("PaxHeader", std::to_string(record.size() + 3) + record, 'x') +
                              member(name.substr(0, 100), bytes_of_grey(30)) +
                              tar_of({{"short.JPEG", bytes_of_grey(31)}}));
  const ImageFolder images = open_image_folder(folder.path());
  ASSERT_EQ(images.items.size(), 2U);
  EXPECT_EQ(images.items[0].path, folder.file("n01.tar") + "/" + name);
  EXPECT_EQ(images.items[1].path, folder.file("n01.tar") + "/short.JPEG");
}

TEST(Archives, ADamagedArchiveIsNamed) {
  const support::TemporaryFolder folder;
  const std::string whole = tar_of({{"a.JPEG", bytes_of_grey(1)}, {"b.JPEG", bytes_of_grey(2)}});
  folder.write("n01.tar", whole.substr(0, 1300));
  folder.write("n02.tar", whole);
  const auto refusal = [&] {
    return message_of<DataError>([&] { open_image_folder(folder.path()); });
  };
  EXPECT_THAT(refusal(), HasSubstr("n01.tar is truncated"));
  folder.write("n01.tar", "x" + whole.substr(1));
  EXPECT_THAT(refusal(), HasSubstr("n01.tar is no .tar archive, or damaged"));
}

}  // namespace
}  // namespace ptq::data
