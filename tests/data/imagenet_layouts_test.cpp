// ImageNet's validation images as people have them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/checksums.h"
#include "imagenet_files.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

/// `val/images/*.JPEG` with `val/val_annotations.txt`, and class folders with an `images` in each.
TEST(ImageNetLayouts, TinyImageNetsAnnotationsLieBesideItsImages) {
  const support::TemporaryFolder folder;
  for (const char* place : {"val/images", "train/n02/images", "train/n01/images"}) {
    fs::create_directories(folder.file(place));
  }
  for (int i = 1; i <= 3; ++i) folder.write("val/images/" + val(i), bytes_of_grey(10 * i));
  for (const char* wnid : {"n01", "n02"}) {
    const std::string train = std::string("train/") + wnid + "/";
    folder.write(train + "images/" + wnid + "_0.JPEG", bytes_of_grey(10));
    folder.write(train + wnid + "_boxes.txt", std::string(wnid) + "_0.JPEG\t0\t0\t7\t7\n");
  }
  folder.write("val/val_annotations.txt", val(1) + "\tn02\t0\t32\t44\t62\n" + val(2) +
                                              "\tn01\t52\t55\t57\t59\n" + val(3) +
                                              "\tn02\t4\t0\t60\t55\n");
  const auto labels_in = [&](const char* place) {
    std::vector<int64_t> labels;
    for (const auto& item : open_image_folder(folder.file(place)).items) {
      labels.push_back(item.label);
    }
    return labels;
  };
  EXPECT_THAT(labels_in("val"), ElementsAre(1, 0, 1));
  EXPECT_THAT(labels_in("val/images"), ElementsAre(1, 0, 1));
  EXPECT_THAT(labels_in("train"), ElementsAre(0, 1));
  EXPECT_THAT(open_image_folder(folder.file("train")).classes, ElementsAre("n01", "n02"));
  folder.write("wnids.txt", "n02\nn00\nn01\n");
  EXPECT_THAT(labels_in("val"), ElementsAre(2, 1, 2));
  EXPECT_THAT(open_image_folder(folder.file("val")).classes, ElementsAre("n00", "n01", "n02"));
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
