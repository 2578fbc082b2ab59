#include "runtime/sweep/activation_store.h"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "support/graph_builder.h"

namespace ptq::runtime {
namespace {

using ptq::testing::normals;

TEST(ActivationStore, KeepsInMemoryWhatFitsAndTheRestInAFile) {
  const at::Tensor first = normals({10, 10}, 1, 1), second = normals({10, 10}, 1, 2);
  const ActivationStore store(500);
  const auto in_memory = store.keep(first);
  const auto in_file = store.keep(second);
  EXPECT_EQ(store.bytes_in_memory(), 400);
  EXPECT_EQ(store.bytes_in_file(), 400);
  EXPECT_TRUE(at::equal(in_memory->load(), first));
  EXPECT_TRUE(at::equal(in_file->load(), second));
}

TEST(ActivationStore, GivesBackTheSameStrides) {
  const at::Tensor channels_last =
      normals({2, 3, 4, 5}, 1, 1).contiguous(at::MemoryFormat::ChannelsLast);
  const auto kept = ActivationStore(0).keep(channels_last);
  EXPECT_EQ(kept->load().strides(), channels_last.strides());
  EXPECT_TRUE(at::equal(kept->load(), channels_last));
}

TEST(ActivationStore, ForgetsWhatNobodyHolds) {
  const ActivationStore store(500);
  auto first = store.keep(normals({10, 10}, 1, 1));
  auto second = store.keep(normals({10, 10}, 1, 2));
  first.reset();
  EXPECT_EQ(store.bytes_in_memory(), 0);
  second.reset();
  EXPECT_EQ(store.bytes_in_file(), 0);
}

TEST(SpillFile, UsesFreedPlacesAgain) {
  SpillFile file;
  const std::string a(100, 'a'), b(100, 'b'), c(200, 'c');
  const int64_t first = file.write(a.data(), 100), second = file.write(b.data(), 100);
  const int64_t third = file.write(c.data(), 200);
  file.release(first, 100);
  file.release(second, 100);
  EXPECT_EQ(file.write(c.data(), 200), first);
  std::string read(200, ' ');
  file.read(first, read.data(), 200);
  EXPECT_EQ(read, c);
  file.read(third, read.data(), 200);
  EXPECT_EQ(read, c);
}

TEST(SpillFile, GivesPartOfAFreedPlace) {
  SpillFile file;
  const std::string bytes(300, 'x');
  const int64_t first = file.write(bytes.data(), 300);
  file.release(first, 300);
  EXPECT_EQ(file.write(bytes.data(), 100), first);
  EXPECT_EQ(file.write(bytes.data(), 200), first + 100);
  EXPECT_EQ(file.write(bytes.data(), 1), first + 300);
}

}  // namespace
}  // namespace ptq::runtime
