// Every refusal of labels.txt and classes.txt names file and line.

#include <gtest/gtest.h>

#include <string>

#include "data/checksums.h"
#include "ptq/base/error.h"
#include "ptq/data/image_folder.h"
#include "support/temporary_folder.h"

namespace ptq::data {
namespace {

class LabelFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.write("a/1.jpg", "");
    folder_.write("a/2.jpg", "");
  }

  std::string refusal() const {
    return message_of<DataError>([&] { open_image_folder(folder_.path()); });
  }
  std::string refusal_of_labels(const std::string& content) const {
    folder_.write("labels.txt", content);
    return refusal();
  }
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }

  support::TemporaryFolder folder_;
};

TEST_F(LabelFiles, ALineWithoutIndexIsRefused) {
  EXPECT_EQ(
      refusal_of_labels("a/1.jpg 0\na/2.jpg\n"),
      file("labels.txt") +
          " line 2: expected a path and a class index with a blank between them, got 'a/2.jpg'");
  EXPECT_EQ(refusal_of_labels("a/1.jpg zero\n"),
            file("labels.txt") +
                " line 1: expected a path and a class index with a blank between them, got "
                "'a/1.jpg zero'");
  EXPECT_EQ(refusal_of_labels("a/1.jpg 1.5\n"), file("labels.txt") +
                                                    " line 1: expected a path and a class index "
                                                    "with a blank between them, got 'a/1.jpg 1.5'");
}

TEST_F(LabelFiles, AnIndexOutOfRangeIsRefused) {
  EXPECT_EQ(refusal_of_labels("a/1.jpg -1\n"),
            file("labels.txt") + " line 1: class index -1 is not in [0, 999999]");
  EXPECT_EQ(refusal_of_labels("a/1.jpg 1000000\n"),
            file("labels.txt") + " line 1: class index 1000000 is not in [0, 999999]");
  folder_.write("classes.txt", "x\ny\n");
  EXPECT_EQ(refusal_of_labels("a/1.jpg 1\na/2.jpg 2\n"),
            file("labels.txt") + " line 2: class index 2 is not in [0, 1], the classes of " +
                file("classes.txt"));
}

TEST_F(LabelFiles, APathThatDoesNotExistIsRefused) {
  EXPECT_EQ(refusal_of_labels("a/1.jpg 0\na/3.jpg 0\n"),
            file("labels.txt") + " line 2: 'a/3.jpg' does not exist");
}

TEST_F(LabelFiles, APathListedWithTwoClassesIsRefused) {
  EXPECT_EQ(refusal_of_labels("a/1.jpg 0\na/2.jpg 0\na/1.jpg 1\n"),
            file("labels.txt") + " line 3: 'a/1.jpg' is listed twice, with two classes");
}

TEST_F(LabelFiles, APathListedTwiceWithOneClassCountsOnce) {
  folder_.write("labels.txt", "a/1.jpg 0\na/2.jpg 0\na/1.jpg 0\n./a/2.jpg 0\n");
  const ImageFolder folder = open_image_folder(folder_.path());
  EXPECT_EQ(folder.items.size(), 2U);
  EXPECT_EQ(folder.listed_again, 2);
}

TEST_F(LabelFiles, AnEmptyListIsRefused) {
  EXPECT_EQ(refusal_of_labels("\n \n"), file("labels.txt") + ": no image in it");
}

TEST_F(LabelFiles, AListOfTooManyLinesIsRefused) {
  EXPECT_EQ(refusal_of_labels(std::string(5'000'001, '\n')),
            file("labels.txt") + " line 5000001: it has more lines than the 5000000 of a list");
}

TEST_F(LabelFiles, AnEmptyClassesFileIsRefused) {
  folder_.write("classes.txt", "\n");
  EXPECT_EQ(refusal(), file("classes.txt") + ": no class in it");
}

TEST_F(LabelFiles, AClassNamedTwiceIsRefused) {
  folder_.write("classes.txt", "a\nb\na\n");
  EXPECT_EQ(refusal(), file("classes.txt") + " line 3: class 'a' occurs twice");
}

}  // namespace
}  // namespace ptq::data
