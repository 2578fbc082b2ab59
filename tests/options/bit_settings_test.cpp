#include "options/config/bit_settings.h"

#include <gmock/gmock.h>

#include "options/combinations/settings_of.h"
#include "ptq/base/error.h"

namespace ptq::options {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

BitsConfig of_pareto(const std::string& words) {
  return bits_config(settings_of({{"pareto", words}}));
}

TEST(Pareto, IsANumberOfBudgetsOrTheBudgetsWithCommas) {
  EXPECT_EQ(of_pareto("4").pareto_points, 4);
  EXPECT_THAT(of_pareto("4").pareto_budgets, IsEmpty());
  EXPECT_THAT(of_pareto("3,4.5,5").pareto_budgets, ElementsAre(3, 4.5, 5));
  EXPECT_THAT(of_pareto("3,5,").pareto_budgets, ElementsAre(3, 5));
  EXPECT_THAT(of_pareto("4,").pareto_budgets, ElementsAre(4));
  EXPECT_EQ(of_pareto("4,").pareto_points, 0);
}

TEST(Pareto, IsRefusedOtherwise) {
  for (const char* words : {"1", "51", "4.5", ",", ",4", "4,,", "4,,5", "4,17", "17,", "x", "4x"}) {
    EXPECT_THROW(of_pareto(words), ConfigError) << words;
  }
}

}  // namespace
}  // namespace ptq::options
