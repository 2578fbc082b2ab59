#include "base/content_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/hash.h"
#include "support/temporary_folder.h"

namespace ptq {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kRoom = int64_t{1} << 30;
const std::string kOne = sha256("one"), kTwo = sha256("two");

void put(ContentCache& cache, const std::string& key, const std::string& text) {
  cache.put(CacheKind::kCrop, key, text.data(), text.size());
}

std::string found(ContentCache& cache, const std::string& key) {
  const auto bytes = cache.find(CacheKind::kCrop, key);
  if (!bytes) return "nothing";
  return {reinterpret_cast<const char*>(bytes->data.get()), bytes->size};
}

std::vector<fs::path> packs(const support::TemporaryFolder& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    if (entry.path().extension() == ".pack") paths.push_back(entry.path());
  }
  return paths;
}

void change(const fs::path& file, std::streamoff at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(at);
  const int byte = stream.get();
  stream.seekp(at);
  stream.put(static_cast<char>(byte ^ 1));
}

TEST(ContentCache, KeepsEntriesForTheNextProcess) {
  const support::TemporaryFolder folder;
  {
    ContentCache cache(folder.path(), kRoom);
    put(cache, kOne, "first");
    put(cache, kTwo, std::string(100'000, 'x'));
    cache.flush();
    EXPECT_EQ(found(cache, kOne), "first");
    EXPECT_EQ(cache.take_counts(CacheKind::kCrop).made, 2);
  }
  ContentCache next(folder.path(), kRoom);
  EXPECT_EQ(found(next, kOne), "first");
  EXPECT_EQ(found(next, kTwo), std::string(100'000, 'x'));
  EXPECT_EQ(found(next, sha256("three")), "nothing");
  EXPECT_EQ(next.take_counts(CacheKind::kCrop).found, 2);
  EXPECT_EQ(next.take_counts(CacheKind::kCrop).found, 0);
  EXPECT_THAT(next.take_notes(), IsEmpty());
}

TEST(ContentCache, WhatIsNotWrittenYetIsFound) {
  const support::TemporaryFolder folder;
  ContentCache cache(folder.path(), kRoom);
  put(cache, kOne, "first");
  EXPECT_THAT(packs(folder), IsEmpty());
  const auto bytes = cache.find(CacheKind::kCrop, kOne);
  cache.flush();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes->data.get()), bytes->size), "first");
  EXPECT_EQ(found(cache, kOne), "first");
  EXPECT_EQ(cache.take_counts(CacheKind::kCrop).found, 2);
}

TEST(ContentCache, BytesOutliveTheCacheAndItsFiles) {
  const support::TemporaryFolder folder;
  auto cache = std::make_unique<ContentCache>(folder.path(), kRoom);
  put(*cache, kOne, "first");
  cache->flush();
  const auto bytes = cache->find(CacheKind::kCrop, kOne);
  cache.reset();
  for (const fs::path& pack : packs(folder)) fs::remove(pack);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes->data.get()), bytes->size), "first");
}

// The end of a pack says how long its index is, and a file without bytes may be long.
TEST(ContentCache, APackOfMoreEntriesThanAreWrittenGoes) {
  const support::TemporaryFolder folder;
  const std::string path = folder.file("0123456789abcdef01234567.pack");
  const uint64_t records = 3'000'000;
  std::ofstream(path, std::ios::binary) << std::string(64, '0') << "ptqpack1";
  std::string end(reinterpret_cast<const char*>(&records), sizeof records);
  end += support::content_of(path);
  fs::resize_file(path, records * 88);
  std::ofstream(path, std::ios::binary | std::ios::app) << end;
  ContentCache cache(folder.path(), kRoom);
  EXPECT_THAT(cache.take_notes(), ElementsAre(HasSubstr("is no whole pack")));
  EXPECT_FALSE(fs::exists(path));
}

TEST(ContentCache, ADamagedEntryIsMissingAndItsPackGoes) {
  const support::TemporaryFolder folder;
  {
    ContentCache cache(folder.path(), kRoom);
    put(cache, kOne, "first");
    put(cache, kTwo, "second");
  }
  ASSERT_THAT(packs(folder), SizeIs(1));
  change(packs(folder).front(), 2);
  ContentCache cache(folder.path(), kRoom);
  EXPECT_EQ(found(cache, kOne), "nothing");
  EXPECT_EQ(found(cache, kTwo), "nothing");
  EXPECT_THAT(cache.take_notes(), ElementsAre(HasSubstr("is damaged: what it held is made anew")));
  EXPECT_THAT(packs(folder), IsEmpty());
  put(cache, kOne, "first");
  cache.flush();
  EXPECT_EQ(found(cache, kOne), "first");
}

TEST(ContentCache, AFileThatIsNoWholePackGoes) {
  for (const int what : {0, 1, 2}) {
    const support::TemporaryFolder folder;
    {
      ContentCache cache(folder.path(), kRoom);
      put(cache, kOne, "first");
    }
    const fs::path pack = packs(folder).front();
    const auto size = static_cast<int64_t>(fs::file_size(pack));
    if (what == 0) fs::resize_file(pack, static_cast<uintmax_t>(size / 2));
    if (what == 1) change(pack, size - 100);  // its index
    if (what == 2) fs::resize_file(pack, 0);
    ContentCache cache(folder.path(), kRoom);
    EXPECT_EQ(found(cache, kOne), "nothing") << what;
    EXPECT_THAT(cache.take_notes(), SizeIs(1)) << what;
    EXPECT_THAT(packs(folder), IsEmpty()) << what;
  }
}

TEST(ContentCache, WhatWasNotUsedForTheLongestTimeMakesRoom) {
  const support::TemporaryFolder folder;
  const std::string large(400'000, 'x');
  const auto hours_ago = [](const fs::path& pack, int hours) {
    fs::last_write_time(pack, fs::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  for (const std::string& key : {kOne, kTwo}) {
    ContentCache cache(folder.path(), kRoom);
    put(cache, key, large);
  }
  for (const fs::path& pack : packs(folder)) hours_ago(pack, 2);
  ContentCache cache(folder.path(), 1'000'000);
  EXPECT_EQ(found(cache, kOne), large);  // and so it is used now
  put(cache, sha256("three"), large);
  cache.flush();
  ContentCache next(folder.path(), kRoom);
  EXPECT_EQ(found(next, kOne), large);
  EXPECT_EQ(found(next, kTwo), "nothing");
  EXPECT_EQ(found(next, sha256("three")), large);
}

TEST(ContentCache, ASmallerLimitMakesRoomThoughNothingIsPut) {
  const support::TemporaryFolder folder;
  {
    ContentCache cache(folder.path(), kRoom);
    put(cache, kOne, std::string(400'000, 'x'));
  }
  {
    ContentCache cache(folder.path(), 100'000);
    EXPECT_NE(found(cache, kOne), "nothing");
  }
  EXPECT_THAT(packs(folder), IsEmpty());
}

TEST(ContentCache, SeveralFillOneFolderAtOnce) {
  const support::TemporaryFolder folder;
  const auto fill = [&](int first) {
    ContentCache cache(folder.path(), kRoom);
    for (int i = first; i < first + 200; ++i) {
      put(cache, sha256(std::to_string(i)), std::to_string(i));
      if (i % 50 == 0) cache.flush();
    }
  };
  std::thread other(fill, 100);
  fill(0);
  other.join();
  ContentCache cache(folder.path(), kRoom);
  for (int i = 0; i < 300; ++i)
    EXPECT_EQ(found(cache, sha256(std::to_string(i))), std::to_string(i));
  EXPECT_THAT(cache.take_notes(), IsEmpty());
}

TEST(ContentCache, LeavesPacksOfOtherProgramsAlone) {
  const support::TemporaryFolder folder;
  const std::string digits = "0123456789abcdef01234567";
  const std::vector<std::string> foreign = {
      folder.write("pack-" + digits + digits.substr(8) + ".pack", "git's"),
      folder.write("x" + digits.substr(1) + ".pack", "another's"),
      folder.write(digits + ".pack.old", "a copy")};
  {
    ContentCache cache(folder.path(), 0);
    cache.put(CacheKind::kCrop, sha256("a"), "a", 1);
  }
  for (const std::string& path : foreign) EXPECT_TRUE(fs::exists(path)) << path;
}

TEST(ContentCache, OpensNoPipe) {
  const support::TemporaryFolder folder;
  const std::string pipe = folder.file("0123456789abcdef01234567.pack");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  { const ContentCache cache(folder.path(), 0); }
  EXPECT_TRUE(fs::exists(pipe));
}

TEST(ContentCache, WhatAKilledProcessLeftGoesAfterAnHour) {
  const support::TemporaryFolder folder;
  const std::string old = folder.write(".0123.pack.partial-1-0", "half");
  const std::string fresh = folder.write(".4567.pack.partial-2-0", "half");
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(2));
  const ContentCache cache(folder.path(), kRoom);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(fresh));
}

}  // namespace
}  // namespace ptq
