#include "base/csv.h"

#include <gtest/gtest.h>

namespace ptq {
namespace {

using Fields = std::vector<std::string>;

TEST(Csv, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(csv_field("a b"), "a b");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"a\""), "\"say \"\"a\"\"\"");
  EXPECT_EQ(csv_field(" a"), "\" a\"");
  EXPECT_EQ(csv_field("a\nb"), "a b");
}

TEST(Csv, ReadsWhatItWrites) {
  for (const Fields& fields : {Fields{"", "a", ""}, Fields{"a,b", "\"", "c\"d,\"", " x "}}) {
    EXPECT_EQ(split_csv(csv_line(fields)), fields);
  }
}

TEST(Csv, ReadsEmptyFieldsAndCarriageReturns) {
  EXPECT_EQ(split_csv(""), Fields{""});
  EXPECT_EQ(split_csv("a,,b,\r"), (Fields{"a", "", "b", ""}));
}

}  // namespace
}  // namespace ptq
