#include "eval/gate/junit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace ptq::eval {
namespace {

using ::testing::HasSubstr;

TEST(JUnit, CountsAndNamesEveryVerdict) {
  const std::string xml =
      junit_xml("gate", {{"w8", "top-1", 1.5, Verdict::kPass, "fine"},
                         {"w4", "top-1", 0.25, Verdict::kFail, "drop 3"},
                         {"w6", "top-1", 0, Verdict::kInconclusive, "who knows"}});
  EXPECT_EQ(xml,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites tests=\"3\" failures=\"1\" errors=\"1\" time=\"1.750\">\n"
            "  <testsuite name=\"gate\" tests=\"3\" failures=\"1\" errors=\"1\" time=\"1.750\" "
            "skipped=\"0\">\n"
            "    <testcase classname=\"w8\" name=\"top-1\" time=\"1.500\">\n"
            "      <system-out>fine</system-out>\n    </testcase>\n"
            "    <testcase classname=\"w4\" name=\"top-1\" time=\"0.250\">\n"
            "      <failure type=\"fail\" message=\"drop 3\"/>\n    </testcase>\n"
            "    <testcase classname=\"w6\" name=\"top-1\" time=\"0.000\">\n"
            "      <error type=\"inconclusive\" message=\"who knows\"/>\n    </testcase>\n"
            "  </testsuite>\n</testsuites>\n");
}

TEST(JUnit, WritesOnlyWhatXmlCanHold) {
  const auto message = [](const std::string& text) {
    return junit_xml("s", {{"c", "n", 0, Verdict::kFail, text}});
  };
  EXPECT_THAT(message("a<b & \"c\" > d\n"),
              HasSubstr("message=\"a&lt;b &amp; &quot;c&quot; &gt; d&#10;\""));
  EXPECT_THAT(message("\xc3\xa9 \xe2\x82\xac"), HasSubstr("message=\"\xc3\xa9 \xe2\x82\xac\""));
  EXPECT_THAT(message(std::string("x\x01\xff\xc3", 4)), HasSubstr("message=\"x???\""));
}

TEST(JUnit, IsWrittenToAFile) {
  const support::TemporaryFolder folder;
  write_junit(folder.file("out.xml"), "gate", {});
  EXPECT_EQ(support::content_of(folder.file("out.xml")), junit_xml("gate", {}));
}

}  // namespace
}  // namespace ptq::eval
