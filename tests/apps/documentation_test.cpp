// docs/ says what the programs do. PTQ_REGEN_GOLDEN=1 rewrites flags.md and combinations.md.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "options/combinations/combinations.h"
#include "options/settings.h"
#include "ptq/base/error.h"

namespace ptq {
namespace {

const std::string kDocs = PTQ_DOCS;

std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool regenerates() {
  const char* regenerate = std::getenv("PTQ_REGEN_GOLDEN");
  return regenerate != nullptr && std::string(regenerate) == "1";
}

std::string flags_page() {
  return "# Options of ptq_imagenet_val\n\n"
         "What `ptq_imagenet_val --help-all` prints. Names and defaults are the reference's (the\n"
         "ImageNet example of Brevitas 0.12.1) where it has the option.\n\n"
         "```\n" +
         options::whole_help_text() + "```\n";
}

TEST(Documentation, ListsTheOptionsThatHelpPrints) {
  const std::string path = kDocs + "/flags.md";
  if (regenerates()) std::ofstream(path) << flags_page();
  EXPECT_EQ(read(path), flags_page()) << "run this test with PTQ_REGEN_GOLDEN=1";
}

TEST(Documentation, ListsWhatDoesNotGoTogether) {
  const std::string path = kDocs + "/combinations.md";
  if (regenerates()) std::ofstream(path) << options::combinations_page();
  EXPECT_EQ(read(path), options::combinations_page()) << "run this test with PTQ_REGEN_GOLDEN=1";
}

TEST(Documentation, ListsEveryExitCode) {
  const std::string page = read(kDocs + "/exit-codes.md");
  for (const ExitCode code :
       {ExitCode::kSuccess, ExitCode::kGateFailed, ExitCode::kGateInconclusive, ExitCode::kUsage,
        ExitCode::kData, ExitCode::kModel, ExitCode::kQuantization, ExitCode::kInternal,
        ExitCode::kSystem, ExitCode::kOutput}) {
    const std::string row = "\n| " + std::to_string(static_cast<int>(code)) + " | ";
    EXPECT_NE(page.find(row), std::string::npos) << row;
  }
}

}  // namespace
}  // namespace ptq
