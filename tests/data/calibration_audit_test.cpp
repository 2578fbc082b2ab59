#include "data/calibration_audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numeric>

#include "ptq/data/sampling.h"
#include "support/temporary_folder.h"
#include "support/test_images.h"

namespace ptq::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// `each` images of every class.
ImageFolder folder_of(const std::vector<std::string>& classes, int each) {
  ImageFolder folder;
  folder.classes = classes;
  for (size_t label = 0; label < classes.size(); ++label) {
    for (int i = 0; i < each; ++i) folder.items.push_back({"", static_cast<int64_t>(label)});
  }
  return folder;
}

std::vector<std::string> numbered(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

std::vector<int64_t> first(int64_t count) {
  std::vector<int64_t> items(static_cast<size_t>(count));
  std::iota(items.begin(), items.end(), int64_t{0});
  return items;
}

TEST(AuditClasses, CountsByNameWhateverTheLabels) {
  const ClassAudit audit =
      audit_classes(folder_of({"cat", "emu"}, 2), {0, 1, 2}, folder_of({"ant", "cat", "emu"}, 4));
  ASSERT_EQ(audit.classes.size(), 3U);
  EXPECT_EQ(audit.classes[0].name, "ant");
  EXPECT_EQ(audit.classes[0].calibration, 0);
  EXPECT_EQ(audit.classes[1].calibration, 2);
  EXPECT_EQ(audit.classes[2].calibration, 1);
  EXPECT_EQ(audit.classes[2].validation, 4);
  EXPECT_EQ(audit.covered, 2);
  EXPECT_EQ(audit.validation_classes, 3);
  // Entropy of 2/3 and 1/3: exp(0.636514) = 1.889882.
  EXPECT_NEAR(audit.effective_classes, 1.889882, 1e-6);
  // (1/3 + |2/3 - 1/3| + 0) / 2.
  EXPECT_NEAR(audit.distance, 1.0 / 3, 1e-12);
}

TEST(AuditClasses, IsSilentAboutImagesWithoutLabels) {
  ImageFolder unlabelled = folder_of({"any"}, 6);
  unlabelled.classes.clear();
  for (const CalibrationSampling sampling :
       {CalibrationSampling::kStratified, CalibrationSampling::kRandom}) {
    const std::vector<int64_t> drawn = draw_calibration_items(unlabelled, 4, sampling, 1);
    EXPECT_EQ(drawn.size(), 4U);
    const ClassAudit audit = audit_classes(unlabelled, drawn, folder_of({"ant", "cat"}, 3));
    EXPECT_THAT(warnings_of(audit), IsEmpty());
    EXPECT_EQ(audit.images, 0);
    EXPECT_EQ(audit.distance, 0);
    ASSERT_EQ(audit.classes.size(), 2U);
    EXPECT_EQ(audit.classes[0].name, "ant");
    EXPECT_EQ(audit.classes[0].validation, 3);
  }
}

TEST(AuditClasses, IsSilentAboutEvenAndAboutRandomDraws) {
  const ImageFolder folder = folder_of(numbered(100), 20);
  for (const CalibrationSampling sampling :
       {CalibrationSampling::kStratified, CalibrationSampling::kRandom}) {
    for (uint64_t seed = 0; seed < 200; ++seed) {
      const std::vector<int64_t> drawn = draw_calibration_items(folder, 100, sampling, seed);
      EXPECT_THAT(warnings_of(audit_classes(folder, drawn, folder)), IsEmpty());
    }
  }
}

TEST(AuditClasses, WarnsOfOneClassAndOfAFewOfMany) {
  const ImageFolder folder = folder_of(numbered(100), 20);
  EXPECT_THAT(warnings_of(audit_classes(folder, first(20), folder)),
              ElementsAre("all 20 calibration images are of one class, validation has 100"));
  EXPECT_THAT(
      warnings_of(audit_classes(folder, first(100), folder)),
      ElementsAre(HasSubstr("far from the classes of validation: 5 of 100 classes, distance "
                            "0.95 where")));
}

TEST(AuditClasses, WarnsOfClassesThatValidationDoesNotHave) {
  EXPECT_THAT(
      warnings_of(audit_classes(folder_of({"a", "b"}, 5), first(10), folder_of({"c", "d"}, 5))),
      ElementsAre(HasSubstr("of a class that validation has")));
}

TEST(AuditClasses, SaysNothingWhereThereIsNothingToSay) {
  EXPECT_THAT(warnings_of(audit_classes(folder_of({"a"}, 5), first(5), folder_of({"a"}, 9))),
              IsEmpty());
  EXPECT_THAT(warnings_of(audit_classes(folder_of({"a"}, 5), {}, folder_of({"a", "b"}, 9))),
              IsEmpty());
}

class AuditContents : public ::testing::Test {
 protected:
  ImageFolder folder_with(const std::string& name, const std::vector<std::string>& contents) {
    ImageFolder folder;
    folder.classes = {"one"};
    for (size_t i = 0; i < contents.size(); ++i) {
      folder.items.push_back(
          {files_.write(name + "/" + std::to_string(i) + ".jpg", contents[i]), 0});
    }
    return folder;
  }
  support::TemporaryFolder files_;
};

TEST_F(AuditContents, FindsDuplicatesAndWhatIsEvaluatedToo) {
  const ImageFolder calibration = folder_with("c", {"aa", "bb", "aa", "long", "cc"});
  const ImageFolder validation = folder_with("v", {"cc", "dd", "cc", "longer"});
  for (const int threads : {1, 4}) {
    const ContentAudit audit = audit_contents(calibration, {0, 1, 2, 3, 4}, validation, threads);
    ASSERT_EQ(audit.duplicates.size(), 1U);
    EXPECT_EQ(audit.duplicates[0].calibration, calibration.items[2].path);
    EXPECT_EQ(audit.duplicates[0].other, calibration.items[0].path);
    ASSERT_EQ(audit.in_validation.size(), 1U);
    EXPECT_EQ(audit.in_validation[0].calibration, calibration.items[4].path);
    EXPECT_EQ(audit.in_validation[0].other, validation.items[0].path);
    EXPECT_THAT(warnings_of(audit),
                ElementsAre(HasSubstr("1 calibration image occurring twice, first "),
                            HasSubstr("1 calibration image also used for validation, first ")));
  }
}

TEST_F(AuditContents, LooksAtTheDrawnImagesAlone) {
  const ImageFolder calibration = folder_with("c", {"aa", "bb", "aa"});
  const ImageFolder validation = folder_with("v", {"bb", "dd", "dd"});
  const ContentAudit audit = audit_contents(calibration, {0}, validation, 2);
  EXPECT_THAT(warnings_of(audit), IsEmpty());
}

TEST_F(AuditContents, LeavesOutWhatCannotBeRead) {
  ImageFolder calibration = folder_with("c", {"aa"});
  calibration.items.push_back({files_.path() + "/none.jpg", 0});
  calibration.items.push_back({files_.path() + "/none.jpg", 0});
  const ContentAudit audit = audit_contents(calibration, {0, 1, 2}, folder_with("v", {"b"}), 2);
  EXPECT_THAT(warnings_of(audit), IsEmpty());
}

Loader loader_of(const ImageFolder& folder) {
  LoaderOptions options;
  options.recipe.resize = options.recipe.crop = 8;
  std::vector<int64_t> items(folder.items.size());
  std::iota(items.begin(), items.end(), int64_t{0});
  return Loader(folder, items, options);
}

void read_all(Loader& loader) {
  loader.start(3);
  while (loader.next()) continue;
}

TEST_F(AuditContents, FindsPicturesInOtherFilesOnceTheyWereRead) {
  ImageFolder calibration = folder_with("c", {"", "", "", ""});
  ImageFolder validation = folder_with("v", {"", ""});
  const std::vector<uint32_t> seeds = {1, 2, 1, 3};
  for (size_t i = 0; i < seeds.size(); ++i) {
    support::write_noise_image(calibration.items[i].path, {8, 8}, seeds[i]);
  }
  support::write_noise_image(validation.items[0].path, {8, 8}, 3);
  support::write_noise_image(validation.items[1].path, {8, 8}, 4);
  // The third is the first with a comment behind its pixels; so is the one in validation.
  std::ofstream(calibration.items[2].path, std::ios::app) << "comment";
  std::ofstream(validation.items[0].path, std::ios::app) << "comment";
  ContentAudit audit = audit_contents(calibration, {0, 1, 2, 3}, validation, 2);
  EXPECT_THAT(warnings_of(audit), IsEmpty());

  Loader drawn = loader_of(calibration);
  Loader evaluated = loader_of(validation);
  add_equal_crops(audit, drawn, evaluated);
  EXPECT_THAT(warnings_of(audit), IsEmpty());
  read_all(drawn);
  read_all(evaluated);
  for (int twice = 0; twice < 2; ++twice) add_equal_crops(audit, drawn, evaluated);
  ASSERT_EQ(audit.duplicates.size(), 1U);
  EXPECT_EQ(audit.duplicates[0].calibration, calibration.items[2].path);
  EXPECT_EQ(audit.duplicates[0].other, calibration.items[0].path);
  ASSERT_EQ(audit.in_validation.size(), 1U);
  EXPECT_EQ(audit.in_validation[0].calibration, calibration.items[3].path);
  EXPECT_EQ(audit.in_validation[0].other, validation.items[0].path);
}

}  // namespace
}  // namespace ptq::data
