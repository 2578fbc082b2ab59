#include "base/hash.h"

#include <gtest/gtest.h>

#include "ptq/base/error.h"
#include "support/temporary_folder.h"

namespace ptq {
namespace {

// The examples of FIPS 180-4 and the empty message.
constexpr const char* kOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kOfTwoBlocks =
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";

TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(sha256(""), kOfNothing);
  EXPECT_EQ(sha256("abc"), kOfAbc);
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), kOfTwoBlocks);
}

TEST(Sha256, DoesNotDependOnThePieces) {
  EXPECT_EQ(Sha256().add("a").add("").add("bc").hex(), kOfAbc);
}

TEST(Sha256OfFile, IsThatOfItsBytes) {
  const support::TemporaryFolder folder;
  EXPECT_EQ(sha256_of_file(folder.write("abc", "abc")), kOfAbc);
  EXPECT_EQ(sha256_of_file(folder.write("empty", "")), kOfNothing);
  const std::string large(200'000, 'x');
  EXPECT_EQ(sha256_of_file(folder.write("large", large)), sha256(large));
}

TEST(Sha256OfFile, NamesAFileThatCannotBeRead) {
  const support::TemporaryFolder folder;
  const auto refusal = [](const std::string& path) -> std::string {
    try {
      return sha256_of_file(path);
    } catch (const DataError& error) {
      return error.what();
    }
  };
  EXPECT_EQ(refusal(folder.path() + "/none"),
            folder.path() + "/none cannot be read: No such file or directory");
  EXPECT_EQ(refusal(folder.path()), folder.path() + " is a folder, not a file");
  EXPECT_EQ(refusal("/dev/zero"), "/dev/zero is a pipe or a device, not a file");
  EXPECT_EQ(refusal("/proc/self/mem"), "/proc/self/mem cannot be read: Input/output error");
  EXPECT_EQ(refusal("/proc/self/maps"), "/proc/self/maps has more bytes than its size says");
}

}  // namespace
}  // namespace ptq
