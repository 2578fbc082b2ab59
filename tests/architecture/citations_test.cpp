#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "source_tree.h"

// Comments cite docs/reference-contract.md as "reference-contract 3.5".
namespace ptq {
namespace {

using ::testing::IsEmpty;

std::set<std::string> sections_of_the_contract() {
  static const std::regex kHeading("\n###? ([A0-9][.0-9]*) ");
  const std::string text =
      testing::content(std::string(PTQ_SOURCE_DIR) + "/docs/reference-contract.md");
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), kHeading), end; match != end; ++match) {
    found.insert((*match)[1]);
  }
  return found;
}

/// The numbers that follow "reference-contract": "6.4", and all of "3.2, 3.5" and "5.2 to 5.4".
std::vector<std::string> cited_sections(const std::string& text) {
  static const std::regex kCitation(
      "[Rr]eference-contract ((?:[A0-9](?:\\.[0-9]+)?(?:, | to | and )?)+)");
  static const std::regex kNumber("[A0-9](?:\\.[0-9]+)?");
  std::vector<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), kCitation), end; match != end;
       ++match) {
    const std::string numbers = (*match)[1];
    for (std::sregex_iterator one(numbers.begin(), numbers.end(), kNumber); one != end; ++one) {
      found.push_back(one->str());
    }
  }
  return found;
}

TEST(Citations, NameSectionsThatExist) {
  const std::set<std::string> sections = sections_of_the_contract();
  std::vector<std::string> wrong;
  int checked = 0;
  for (const testing::Source& source : testing::sources({"src", "include", "apps", "tests"})) {
    for (const std::string& section : cited_sections(source.text)) {
      ++checked;
      if (sections.count(section) == 0) wrong.push_back(source.path + " cites " + section);
    }
  }
  EXPECT_GT(checked, 80);
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Citations, AreReadWithAllTheirNumbers) {
  EXPECT_THAT(cited_sections("(reference-contract 3.2, 3.5; then 9.9)"),
              ::testing::ElementsAre("3.2", "3.5"));
  EXPECT_THAT(cited_sections("reference-contract 6.6 to 6.9 and 6.13. 7"),
              ::testing::ElementsAre("6.6", "6.9", "6.13"));
  EXPECT_THAT(cited_sections("reference-contract A.3: what"), ::testing::ElementsAre("A.3"));
}

}  // namespace
}  // namespace ptq
