#include "base/pattern.h"

#include <gtest/gtest.h>

namespace ptq {
namespace {

TEST(Pattern, CompilesWhatUsersWrite) {
  const auto pattern = compile_pattern("layer[12]\\.(conv|fc)");
  ASSERT_TRUE(pattern);
  EXPECT_TRUE(std::regex_search("layer1.conv", *pattern));
}

TEST(Pattern, RefusesWhatIsNoneOrTooDeep) {
  EXPECT_FALSE(compile_pattern("["));
  EXPECT_FALSE(compile_pattern(std::string(30000, '(') + std::string(30000, ')')));
  EXPECT_FALSE(compile_pattern(std::string(60, '(') + std::string(60, ')')));
  EXPECT_FALSE(compile_pattern(std::string(5000, 'a')));
}

}  // namespace
}  // namespace ptq
