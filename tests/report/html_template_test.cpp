#include "report/html_template.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ptq/base/error.h"

namespace ptq::report {
namespace {

TEST(HtmlTemplate, IsFilledWithoutLookingIntoTexts) {
  EXPECT_EQ(filled("<p>{{A}}</p>{{B}}{{A}}.", {{"A", "{{B}}"}, {"B", "b"}}), "<p>{{B}}</p>b{{B}}.");
}

TEST(HtmlTemplate, HasATextForEachPlace) {
  EXPECT_THROW(filled("{{A}} {{B}}", {{"A", "a"}}), InternalError);
  EXPECT_THROW(filled("{{A", {{"A", "a"}}), InternalError);
}

TEST(HtmlTemplate, KeepsDataInsideItsScript) {
  const nlohmann::json data = {{"path", "</script><b><!--<script>"}, {"bytes", "\xff"}};
  const std::string text = script_text(data);
  EXPECT_EQ(text.find('<'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(text).at("path"), "</script><b><!--<script>");
}

TEST(HtmlTemplate, ShowsTextAsItIs) { EXPECT_EQ(html_text("a<b & c"), "a&lt;b &amp; c"); }

}  // namespace
}  // namespace ptq::report
