#include "base/pattern.h"

#include <gtest/gtest.h>

namespace ptq {
namespace {

TEST(Pattern, CompilesWhatUsersWrite) {
  const auto pattern = compile_pattern("layer[12]\\.(conv|fc)");
  ASSERT_TRUE(pattern);
  EXPECT_TRUE(std::regex_search("layer1.conv", *pattern));
}

/// One way after the other would take longer than the universe has been there.
TEST(Pattern, SearchesInBoundedTime) {
  const std::string text(200, 'a');
  for (const char* nested : {"^(a+)+b$", "^(a|aa)+b$", "^(a|a)*b$", "^(.*)*x(.*)*y$"}) {
    const auto pattern = compile_pattern(nested);
    ASSERT_TRUE(pattern) << nested;
    EXPECT_FALSE(std::regex_search(text, *pattern)) << nested;
  }
}

TEST(Pattern, RefusesReferencesToGroups) { EXPECT_FALSE(compile_pattern("(a)\\1")); }

TEST(Pattern, RefusesWhatIsNoneOrTooDeep) {
  EXPECT_FALSE(compile_pattern("["));
  EXPECT_FALSE(compile_pattern(std::string(30000, '(') + std::string(30000, ')')));
  EXPECT_FALSE(compile_pattern(std::string(60, '(') + std::string(60, ')')));
  EXPECT_FALSE(compile_pattern(std::string(5000, 'a')));
}

}  // namespace
}  // namespace ptq
