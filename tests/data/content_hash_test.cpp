#include "data/content_hash.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "ptq/base/error.h"
#include "support/temporary_folder.h"

namespace ptq::data {
namespace {

using Texts = std::vector<std::string>;

TEST(ContentHashes, FollowTheItemsForAnyNumberOfThreads) {
  const support::TemporaryFolder files;
  ImageFolder folder;
  for (int i = 0; i < 20; ++i) {
    const std::string content = std::to_string(i);
    folder.items.push_back({files.write(content + ".jpg", content), 0});
  }
  for (const int threads : {1, 3, 40}) {
    EXPECT_EQ(content_hashes(folder, {7, 3, 7}, threads),
              (Texts{sha256("7"), sha256("3"), sha256("7")}));
  }
}

TEST(ContentHashes, NameAFileThatCannotBeRead) {
  const support::TemporaryFolder files;
  ImageFolder folder;
  folder.items = {{files.write("a.jpg", "a"), 0}, {files.path() + "/none.jpg", 0}};
  EXPECT_THROW(content_hashes(folder, {0, 1}, 2), DataError);
}

TEST(DataHash, DependsOnContentsAndLabelsAndNotOnTheOrder) {
  const std::string one = data_hash({"aa", "bb", "bb"}, {1, 2, 2});
  EXPECT_EQ(one, sha256("aa 1\nbb 2\nbb 2\n"));
  EXPECT_EQ(one, data_hash({"bb", "aa", "bb"}, {2, 1, 2}));
  EXPECT_NE(one, data_hash({"aa", "bb"}, {1, 2}));
  EXPECT_NE(one, data_hash({"aa", "bb", "bb"}, {1, 2, 1}));
}

}  // namespace
}  // namespace ptq::data
