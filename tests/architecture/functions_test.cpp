#include "functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "source_tree.h"

namespace ptq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kMostLines = 60;

std::vector<int> lengths(const std::string& text) {
  std::vector<int> found;
  for (const testing::Function& function : testing::functions(text)) {
    found.push_back(function.lines);
  }
  return found;
}

TEST(Functions, AreMeasuredFromBraceToBrace) {
  EXPECT_THAT(lengths("int f() {\n  return 1;\n}\nvoid g() {}\n"), ElementsAre(3, 1));
  EXPECT_THAT(lengths("namespace a {\nstruct B {\n  int f() const {\n    return b_;\n  }\n"
                      "  int b_ = 0;\n};\n}\n"),
              ElementsAre(3));
}

TEST(Functions, HoldTheirLambdasAndBlocks) {
  EXPECT_THAT(
      lengths("void f() {\n  const auto g = [] {\n    return 1;\n  };\n  if (g()) {\n  }\n}\n"),
      ElementsAre(7));
}

TEST(Functions, AreToldFromTypesAndInitializers) {
  EXPECT_THAT(lengths("const std::map<int, int> kA = {\n  {1, 2},\n};\nenum class E { kA };\n"
                      "constexpr Heading kHeadings[] = {\n    {a(1), \"b\"},\n};\n"),
              IsEmpty());
  EXPECT_THAT(lengths("A::A(int b) : b_{b}, c_(0) {\n  d();\n}\n"), ElementsAre(3));
}

TEST(Functions, AreReadWithoutCommentsAndLiterals) {
  EXPECT_THAT(lengths("void f() {  // {\n  g(\"{\", '{', \"\\\"{\");\n  /* { */\n}\n"),
              ElementsAre(4));
  EXPECT_THAT(lengths("const char* kText = R\"js(function f() {\n)js\";\nint g() { return 1; }\n"),
              ElementsAre(1));
}

TEST(SourceTree, HasNoFunctionOfMoreThan60Lines) {
  std::vector<std::string> wrong;
  int checked = 0;
  for (const testing::Source& source : testing::sources()) {
    for (const testing::Function& function : testing::functions(source.text)) {
      ++checked;
      if (function.lines <= kMostLines) continue;
      wrong.push_back(source.path + ":" + std::to_string(function.line) + ": " +
                      std::to_string(function.lines));
    }
  }
  EXPECT_GT(checked, 2000);
  EXPECT_THAT(wrong, IsEmpty());
}

}  // namespace
}  // namespace ptq
