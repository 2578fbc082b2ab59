#include "ptq/data/image_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "data/checksums.h"
#include "ptq/base/error.h"
#include "support/temporary_folder.h"

namespace ptq::data {
namespace {

using support::TemporaryFolder;

// "label path" of every item, paths relative to the folder.
std::vector<std::string> listing(const TemporaryFolder& root, const std::string& directory = "") {
  const std::string path = root.path() + directory;
  std::vector<std::string> lines;
  for (const ImageFolder::Item& item : open_image_folder(path).items) {
    lines.push_back(std::to_string(item.label) + " " + item.path.substr(path.size() + 1));
  }
  return lines;
}

std::string refusal_of(const std::string& directory) {
  return message_of<DataError>([&] { open_image_folder(directory); });
}

TEST(OpenImageFolder, LabelsImagesByTheirSortedClassFolders) {
  const TemporaryFolder root;
  for (const char* name : {"dog/2.jpg", "dog/1.PNG", "cat/b.jpeg", "cat/a.webp", "ape/x.TIFF"}) {
    root.write(name, "");
  }
  EXPECT_EQ(open_image_folder(root.path()).classes,
            (std::vector<std::string>{"ape", "cat", "dog"}));
  EXPECT_EQ(listing(root), (std::vector<std::string>{"0 ape/x.TIFF", "1 cat/a.webp", "1 cat/b.jpeg",
                                                     "2 dog/1.PNG", "2 dog/2.jpg"}));
}

TEST(OpenImageFolder, SortsCapitalsFirstAndNumbersAsText) {
  const TemporaryFolder root;
  for (const char* name : {"a/10.jpg", "a/9.jpg", "a/Z.jpg", "B/1.jpg"}) root.write(name, "");
  EXPECT_EQ(listing(root),
            (std::vector<std::string>{"0 B/1.jpg", "1 a/10.jpg", "1 a/9.jpg", "1 a/Z.jpg"}));
}

TEST(OpenImageFolder, GoesIntoFoldersOfAClassFolderByFolder) {
  const TemporaryFolder root;
  for (const char* name : {"a/m/deep/1.bmp", "a/z.bmp", "a/m/2.bmp", "a/b.bmp"}) {
    root.write(name, "");
  }
  EXPECT_EQ(listing(root), (std::vector<std::string>{"0 a/b.bmp", "0 a/z.bmp", "0 a/m/2.bmp",
                                                     "0 a/m/deep/1.bmp"}));
}

TEST(OpenImageFolder, TakesOnlyFilesWithAnImageSuffix) {
  const TemporaryFolder root;
  for (const char* name : {"a/1.jpg", "a/notes.txt", "a/jpg", "a/.jpg.swp", "a/2.tif", "a/3.ppm"}) {
    root.write(name, "");
  }
  EXPECT_EQ(listing(root), (std::vector<std::string>{"0 a/1.jpg", "0 a/2.tif"}));
}

TEST(OpenImageFolder, ATrailingSlashChangesNothing) {
  const TemporaryFolder root;
  root.write("part/a/1.jpg", "");
  root.write("classes.txt", "z\na\n");
  EXPECT_EQ(open_image_folder(root.path() + "/part/").items.at(0).label, 1);
}

TEST(OpenImageFolder, ClassesFileSaysTheLabelOfAFolder) {
  const TemporaryFolder root;
  root.write("classes.txt", "ape\ncat\ndog\nfox\n");
  root.write("part/fox/1.jpg", "");
  root.write("part/cat/1.jpg", "");
  EXPECT_EQ(listing(root, "/part"), (std::vector<std::string>{"1 cat/1.jpg", "3 fox/1.jpg"}));
  EXPECT_EQ(open_image_folder(root.path() + "/part").classes.size(), 4U);
}

TEST(OpenImageFolder, ClassesFileOfTheFolderWinsOverItsParents) {
  const TemporaryFolder root;
  root.write("classes.txt", "cat\n");
  root.write("part/classes.txt", "ape\ncat\n");
  root.write("part/cat/1.jpg", "");
  EXPECT_EQ(listing(root, "/part"), std::vector<std::string>{"1 cat/1.jpg"});
}

TEST(OpenImageFolder, LabelsFileListsTheImagesInSortedOrder) {
  const TemporaryFolder root;
  for (const char* name : {"x/1.jpg", "b b/2.jpg", "x/unlisted.jpg"}) root.write(name, "");
  root.write("labels.txt", "x/1.jpg 7\r\n\nb b/2.jpg\t0\n");
  EXPECT_EQ(listing(root), (std::vector<std::string>{"0 b b/2.jpg", "7 x/1.jpg"}));
  const std::vector<std::string> classes = open_image_folder(root.path()).classes;
  ASSERT_EQ(classes.size(), 8U);
  EXPECT_EQ(classes[7], "7");
}

TEST(OpenImageFolder, PassesOverWhatNotebooksAndArchivesLeave) {
  const TemporaryFolder root;
  for (const char* name :
       {"a/1.jpg", "a/.ipynb_checkpoints/1-checkpoint.jpg", "a/._1.jpg", "b/2.jpg",
        ".ipynb_checkpoints/x.jpg", "__MACOSX/y.jpg", "@eaDir/z.jpg"}) {
    root.write(name, "");
  }
  EXPECT_EQ(open_image_folder(root.path()).classes, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(listing(root), (std::vector<std::string>{"0 a/1.jpg", "1 b/2.jpg"}));
}

TEST(OpenImageFolder, KeepsALinkToNothingForTheLoaderToName) {
  const TemporaryFolder root;
  root.write("a/1.jpg", "");
  std::filesystem::create_symlink("/nowhere/2.jpg", root.path() + "/a/2.jpg");
  EXPECT_EQ(listing(root), (std::vector<std::string>{"0 a/1.jpg", "0 a/2.jpg"}));
  for (const char* name : {"/b", "/dr. b"}) {
    const std::string link = root.path() + name;
    std::filesystem::create_symlink("/nowhere/b", link);
    EXPECT_EQ(refusal_of(root.path()), link + " is a link to a folder that does not exist");
    std::filesystem::remove(link);
  }
}

TEST(OpenImageFolder, NamesALinkThatLeadsBackToItself) {
  const TemporaryFolder root;
  root.write("a/1.jpg", "");
  std::filesystem::create_directory_symlink("..", root.path() + "/a/up");
  EXPECT_EQ(refusal_of(root.path()), root.path() + "/a/up is a link that leads back to itself");
}

TEST(OpenImageFolder, ReadsListsInAnyUnicodeAndWithAnyLineEnds) {
  const std::string utf16(
      "\xFF\xFE"
      "a\0/\0\xE9\0.\0j\0p\0g\0 \0"
      "1\0\r\0\n\0",
      24);
  for (const std::string& list : {std::string("\xEF\xBB\xBF"
                                              "a/\xC3\xA9.jpg 1\n"),
                                  utf16, std::string("a/\xC3\xA9.jpg 1\r")}) {
    const TemporaryFolder root;
    root.write("a/\xC3\xA9.jpg", "");
    root.write("labels.txt", list);
    EXPECT_EQ(listing(root), (std::vector<std::string>{"1 a/\xC3\xA9.jpg"}));
  }
}

TEST(OpenImageFolder, ReadsListsWithCommentsAndPathsOfWindows) {
  const TemporaryFolder folder;
  folder.write("cats/1.png", "");
  folder.write("#2.png", "");
  folder.write("labels.txt", "# made by a tool 2\r\ncats\\1.png 0\r\n#2.png 1\r\n");
  const ImageFolder read = open_image_folder(folder.path());
  ASSERT_EQ(read.items.size(), 2U);
  EXPECT_EQ(read.items[0].path, folder.path() + "/#2.png");
  EXPECT_EQ(read.items[1].path, folder.path() + "/cats/1.png");
}

TEST(OpenImageFolder, RefusesALineThatIsLongerThanAnyPath) {
  const TemporaryFolder folder;
  folder.write("cats/1.png", "");
  folder.write("labels.txt", "cats/1.png 0\n" + std::string(100'000, 'a') + " 0\n");
  EXPECT_EQ(
      refusal_of(folder.path()),
      folder.path() + "/labels.txt line 2: it has 100002 bytes, more than the 65536 of a line");
}

TEST(OpenImageFolder, RefusesAFolderAsAnImageOfAList) {
  const TemporaryFolder folder;
  folder.write("cats/1.png", "");
  folder.write("labels.txt", "cats 0\n");
  EXPECT_EQ(refusal_of(folder.path()),
            folder.path() + "/labels.txt line 1: 'cats' is a folder, not an image");
}

TEST(OpenImageFolder, RefusesAnImageThatIsListedUnderTwoSpellings) {
  const TemporaryFolder root;
  root.write("a/1.jpg", "");
  const std::string list = root.write("labels.txt", "a/1.jpg 0\n./a/../a/1.jpg 1\n");
  EXPECT_EQ(refusal_of(root.path()),
            list + " line 2: './a/../a/1.jpg' is listed twice, with two classes");
}

TEST(OpenImageFolder, RefusesWhatIsNoFolder) {
  const TemporaryFolder root;
  const std::string missing = root.path() + "/none";
  EXPECT_EQ(refusal_of(missing), missing + ": no such folder");
  const std::string file = root.write("file", "");
  EXPECT_EQ(refusal_of(file), file + ": neither a folder nor a .tar archive");
}

TEST(OpenImageFolder, RefusesAFolderWithoutClasses) {
  const TemporaryFolder root;
  EXPECT_EQ(refusal_of(root.path()),
            root.path() +
                ": no folder of a class, no labels.txt and no other file of labels "
                "(ILSVRC2012_validation_ground_truth.txt, LOC_val_solution.csv, labels.csv, "
                "val_annotations.txt)");
  root.write("1.jpg", "");
  EXPECT_EQ(refusal_of(root.path()),
            root.path() +
                ": no folder of a class, no labels.txt and no other file of labels "
                "(ILSVRC2012_validation_ground_truth.txt, LOC_val_solution.csv, labels.csv, "
                "val_annotations.txt)");
}

TEST(OpenImageFolder, TakesAFolderWithoutClassesWhereLabelsAreOptional) {
  const TemporaryFolder root;
  EXPECT_EQ(message_of<DataError>([&] { open_image_folder(root.path(), Labels::kOptional); }),
            root.path() + ": no image in it");
  root.write("2.jpg", "");
  root.write("1.jpg", "");
  const ImageFolder folder = open_image_folder(root.path(), Labels::kOptional);
  EXPECT_FALSE(folder.is_labelled());
  ASSERT_EQ(folder.items.size(), 2U);
  EXPECT_EQ(folder.items[0].path, root.path() + "/1.jpg");
  // A list that lies above may be that of other images.
  root.write("labels.csv", "1.jpg,cat\n");
  EXPECT_FALSE(open_image_folder(root.path(), Labels::kOptional).is_labelled());
  root.write("labels.csv", "1.jpg,cat\n2.jpg,dog\n");
  EXPECT_TRUE(open_image_folder(root.path(), Labels::kOptional).is_labelled());
}

TEST(OpenImageFolder, RefusesAClassWithoutImages) {
  const TemporaryFolder root;
  root.write("a/1.jpg", "");
  root.write("b/notes.txt", "");
  EXPECT_EQ(refusal_of(root.path()), root.path() + "/b: no image in it");
}

TEST(OpenImageFolder, RefusesAFolderThatClassesFileDoesNotName) {
  const TemporaryFolder root;
  const std::string classes = root.write("classes.txt", "a\n");
  root.write("a/1.jpg", "");
  root.write("b/1.jpg", "");
  EXPECT_EQ(refusal_of(root.path()), root.path() + "/b: " + classes + " has no class of this name");
}

TEST(OpenImageFolder, ReadsTheSharedSampleInTheOrderOfItsPaths) {
  const char* data = std::getenv("PTQ_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
  const ImageFolder folder =
      open_image_folder(std::string(data) + "/data/imagenet-sample/validation");
  ASSERT_EQ(folder.items.size(), 300U);
  EXPECT_EQ(folder.classes.size(), 1000U);
  EXPECT_EQ(std::filesystem::path(folder.items[1].path).filename(), "n01494475_hammerhead.JPEG");
  EXPECT_EQ(folder.items[1].label, 4);
  for (const ImageFolder::Item& item : folder.items) {
    const std::string wnid = std::filesystem::path(item.path).parent_path().filename();
    EXPECT_EQ(folder.classes.at(static_cast<size_t>(item.label)), wnid);
  }
}

}  // namespace
}  // namespace ptq::data
