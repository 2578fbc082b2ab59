// ImageNet's validation images as people have them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/checksums.h"
#include "data/item_file.h"
#include "data/tar.h"
#include "ptq/base/error.h"
#include "ptq/data/image_folder.h"
#include "ptq/data/loader.h"
#include "support/temporary_folder.h"
#include "support/test_images.h"

namespace ptq::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kGroundTruth = "ILSVRC2012_validation_ground_truth.txt";
// In the devkit's order, which is not that of the names.
constexpr const char* kSynsets = "n03\nn01\nn02\n";

std::string val(int number) {
  char name[40];
  std::snprintf(name, sizeof name, "ILSVRC2012_val_%08d.JPEG", number);
  return name;
}

std::string bytes_of_grey(int grey) {
  const support::TemporaryFolder folder;
  support::write_grey_image(folder.file("a.bmp"), {8, 8}, grey);
  return support::content_of(folder.file("a.bmp"));
}

/// A flat folder of three images.
struct Flat {
  support::TemporaryFolder folder;

  Flat() {
    for (int i = 1; i <= 3; ++i) folder.write(val(i), bytes_of_grey(10 * i));
    folder.write("._" + val(1), "not an image");
  }
  std::vector<int64_t> labels() const {
    std::vector<int64_t> found;
    for (const auto& item : open_image_folder(folder.path()).items) found.push_back(item.label);
    return found;
  }
  std::string refusal() const {
    return message_of<DataError>([&] { open_image_folder(folder.path()); });
  }
};

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

/// The first grey value of each image, in the order of the folder.
std::vector<int> greys(const ImageFolder& folder) {
  LoaderOptions options;
  options.recipe = {8, 8, {0, 0, 0}, {1, 1, 1}, Interpolation::kBilinear};
  std::vector<int64_t> items(folder.items.size());
  for (size_t i = 0; i < items.size(); ++i) items[i] = static_cast<int64_t>(i);
  Loader loader(folder, items, options);
  loader.start(1);
  std::vector<int> found;
  while (const auto batch = loader.next()) found.push_back(batch->pixels.data_ptr<uint8_t>()[0]);
  return found;
}

TEST(ImageNetLayouts, NumbersOfTheDevkitAreClassesInTheOrderOfTheirNames) {
  const Flat flat;
  flat.folder.write(kGroundTruth, "1\n2\n3\n");
  flat.folder.write("synsets.txt", kSynsets);
  EXPECT_THAT(flat.labels(), ElementsAre(2, 0, 1));
  EXPECT_THAT(open_image_folder(flat.folder.path()).classes, ElementsAre("n01", "n02", "n03"));
  EXPECT_EQ(open_image_folder(flat.folder.path()).passed_over, 1);
}

TEST(ImageNetLayouts, TheDevkitMayLieBesideTheImages) {
  const Flat flat;
  const std::string data = "ILSVRC2012_devkit_t12/data/";
  fs::create_directories(flat.folder.file(data));
  flat.folder.write(data + kGroundTruth, "1\n2\n3\n");
  flat.folder.write(data + "synsets.txt", kSynsets);
  EXPECT_THAT(flat.labels(), ElementsAre(2, 0, 1));
}

TEST(ImageNetLayouts, TheDevkitsOwnFileNamesItsClasses) {
  const Flat flat;
  flat.folder.write(kGroundTruth, "1\n2\n2\n");
  const std::string names = "WNID n02119789 kit fox n02100735 English setter";
  std::vector<Bytef> packed(1000);
  uLongf size = packed.size();
  compress(packed.data(), &size, reinterpret_cast<const Bytef*>(names.data()), names.size());
  const uint32_t tag[] = {15, static_cast<uint32_t>(size)};
  flat.folder.write("meta.mat",
                    std::string(128, ' ') + std::string(reinterpret_cast<const char*>(tag), 8) +
                        std::string(packed.begin(), packed.begin() + static_cast<int64_t>(size)));
  EXPECT_THAT(flat.labels(), ElementsAre(1, 0, 0));
  flat.folder.write("meta.mat", std::string(128, ' ') + "garbage, not a MATLAB file");
  EXPECT_THAT(flat.refusal(), HasSubstr("meta.mat"));
}

TEST(ImageNetLayouts, NumbersNeedTheDevkitsClasses) {
  const Flat flat;
  flat.folder.write(kGroundTruth, "1\n2\n3\n");
  EXPECT_THAT(flat.refusal(), HasSubstr("holds numbers of the devkit"));
  flat.folder.write("synsets.txt", "n03\nn01\n");
  EXPECT_THAT(flat.refusal(), HasSubstr("line 3: the devkit has no class 3"));
}

TEST(ImageNetLayouts, ClassesTextGoesOverTheOrderOfNames) {
  const Flat flat;
  flat.folder.write(kGroundTruth, "1\n2\n3\n");
  flat.folder.write("synsets.txt", kSynsets);
  flat.folder.write("classes.txt", "n02\nn03\nn01\n");
  EXPECT_THAT(flat.labels(), ElementsAre(1, 2, 0));
}

TEST(ImageNetLayouts, AnImageIsKnownByItsNumberInItsName) {
  const Flat flat;
  flat.folder.write(kGroundTruth, "1\n");
  flat.folder.write("synsets.txt", kSynsets);
  EXPECT_THAT(flat.refusal(), HasSubstr(val(2) + " has no label in"));
}

TEST(ImageNetLayouts, KagglesTableHasTheClassAsTheFirstWord) {
  const Flat flat;
  flat.folder.write("LOC_val_solution.csv",
                    "ImageId,PredictionString\n"
                    "ILSVRC2012_val_00000002,n02 85 1 499 272 n02 3 4 5 6 \n"
                    "ILSVRC2012_val_00000001,n03 1 2 3 4 \n"
                    "ILSVRC2012_val_00000003,n02 1 2 3 4 \n");
  EXPECT_THAT(flat.labels(), ElementsAre(1, 0, 0));
  flat.folder.write("LOC_synset_mapping.txt", "n01 tench, Tinca tinca\nn02 goldfish\nn03 shark\n");
  EXPECT_THAT(flat.labels(), ElementsAre(2, 1, 1));
}

TEST(ImageNetLayouts, APlainTableOfFilesAndClasses) {
  const Flat flat;
  flat.folder.write("labels.csv",
                    val(1) + ",n02\n" + val(2) + ",n01\n" + "val/" + val(3) + ",n02\n");
  EXPECT_THAT(flat.labels(), ElementsAre(1, 0, 1));
  flat.folder.write("labels.csv", val(1) + ",n02\n" + val(2) + "\n");
  EXPECT_THAT(flat.refusal(), HasSubstr("line 2: expected a file and a class"));
  flat.folder.write("labels.csv", val(1) + ",n02\n" + val(1) + ",n01\n");
  EXPECT_THAT(flat.refusal(), HasSubstr("is listed twice, with two classes"));
}

/// A line of a table for each image.
std::string table(const std::string& heading, const std::vector<std::string>& ends,
                  const std::string& begin = "") {
  std::string lines = heading;
  for (size_t i = 0; i < ends.size(); ++i) lines += begin + val(static_cast<int>(i) + 1) + ends[i];
  return lines;
}

TEST(ImageNetLayouts, AClassOfATableMayHaveSeveralWords) {
  const Flat flat;
  flat.folder.write("labels.csv", table("", {", great white shark\r\n", ",\"great grey owl\"\r\n",
                                             ",great white shark\r\n"}));
  EXPECT_THAT(flat.labels(), ElementsAre(1, 0, 1));
  EXPECT_THAT(open_image_folder(flat.folder.path()).classes,
              ElementsAre("great grey owl", "great white shark"));
}

TEST(ImageNetLayouts, AHeadingSaysWhichColumnsCount) {
  const Flat flat;
  const std::vector<std::string> columns = {",n02,12\n", ",n01,13\n", ",n02,14\n"};
  flat.folder.write("labels.csv", table("FileName,Label,width\n", columns));
  EXPECT_THAT(flat.labels(), ElementsAre(1, 0, 1));
  flat.folder.write("labels.csv", table(",filename,breed,width\n", columns, "7,"));
  EXPECT_THAT(flat.labels(), ElementsAre(1, 0, 1));
  flat.folder.write("labels.csv",
                    table("label,image\n", {"\n"}, "n05,") + "n04," + val(2) + "\nn05," + val(3));
  EXPECT_THAT(flat.labels(), ElementsAre(1, 0, 1));
}

TEST(ImageNetLayouts, AnImageMayHaveSeveralLinesOfOneClass) {
  const Flat flat;
  flat.folder.write("labels.csv", table("", {",a\n", ",b\n", ",a\n"}) + val(1) + ",a\n");
  EXPECT_THAT(flat.labels(), ElementsAre(0, 1, 0));
  EXPECT_EQ(open_image_folder(flat.folder.path()).listed_again, 1);
}

// As text, 10 comes before 2.
TEST(ImageNetLayouts, NumbersInATableAreTheClassesThemselves) {
  const Flat flat;
  flat.folder.write("labels.csv", val(1) + ",2\n" + val(2) + ",10\n" + val(3) + ",007\n");
  EXPECT_THAT(flat.labels(), ElementsAre(2, 10, 7));
  const ImageFolder images = open_image_folder(flat.folder.path());
  ASSERT_EQ(images.classes.size(), 11U);
  EXPECT_EQ(images.classes.back(), "10");
}

TEST(ImageNetLayouts, AnArchiveIsReadInPlace) {
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

TEST(ImageNetLayouts, AClassMayBeAnArchive) {
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
TEST(ImageNetLayouts, AnArchiveBesideClassFoldersIsNoClass) {
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

TEST(ImageNetLayouts, AnArchiveMayHoldTheFoldersOrArchivesOfAllClasses) {
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

TEST(ImageNetLayouts, ADamagedArchiveInAnArchiveIsNamed) {
  const support::TemporaryFolder folder;
  const std::string archive = folder.write("train.tar", tar_of({{"n01.tar", "no archive"}}));
  EXPECT_EQ(message_of<DataError>([&] { open_image_folder(archive); }),
            archive + "/n01.tar is truncated");
}

TEST(ImageNetLayouts, ArchivesHaveNamesOfAnyLength) {
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

TEST(ImageNetLayouts, ADamagedArchiveIsNamed) {
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

TEST(ImageNetLayouts, ABackgroundClassStandsBeforeAllOthers) {
  const Flat flat;
  flat.folder.write("labels.csv", val(1) + ",b\n" + val(2) + ",a\n" + val(3) + ",b\n");
  ImageFolder images = open_image_folder(flat.folder.path());
  add_background_class(images);
  EXPECT_THAT(images.classes, ElementsAre("background", "a", "b"));
  EXPECT_EQ(images.items.front().label, 2);
}

}  // namespace
}  // namespace ptq::data
