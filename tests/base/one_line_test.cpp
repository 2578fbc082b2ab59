#include "base/one_line.h"

#include <gtest/gtest.h>

namespace ptq {
namespace {

TEST(OneLine, LeavesWordsOfAnyLanguageAsTheyAre) {
  EXPECT_EQ(one_line("größe: 大きさ"), "größe: 大きさ");
  EXPECT_EQ(one_line(""), "");
}

TEST(OneLine, HasNoSecondLineAndNoCommandsToATerminal) {
  EXPECT_EQ(one_line(std::string("a\nerror: b\r\tc\x1b[2J\x7f\0d", 20)), "a error: b  c [2J  d");
}

TEST(OneLine, LeavesOutTheMiddleOfALongOne) {
  const std::string line = one_line("begin " + std::string(1'000'000, 'x') + " end");
  EXPECT_LT(line.size(), 4100U);
  EXPECT_EQ(line.substr(0, 6), "begin ");
  EXPECT_EQ(line.substr(line.size() - 4), " end");
  EXPECT_NE(line.find("x ... x"), std::string::npos);
}

TEST(OneLine, CutsBetweenCharacters) {
  for (const char* before : {"", "a", "aa"}) {
    std::string text = before;
    while (text.size() < 10'000) text += "大";
    const std::string line = one_line(text);
    const size_t dots = line.find(" ... ");
    ASSERT_NE(dots, std::string::npos);
    EXPECT_EQ(line.substr(dots - 3, 3), "大");
    EXPECT_EQ(line.substr(dots + 5, 3), "大");
  }
}

}  // namespace
}  // namespace ptq
