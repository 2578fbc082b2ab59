#include <gmock/gmock.h>

#include <algorithm>
#include <regex>

#include "cli/program_fixture.h"

// The page of a run (--page), and the drawing of its graph.
namespace ptq::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class Page : public Program {
 protected:
  /// What stands between `before` and `after`.
  static std::string between(const std::string& text, const std::string& before,
                             const std::string& after) {
    const size_t begin = text.find(before);
    const size_t end = text.find(after, begin);
    if (begin == std::string::npos || end == std::string::npos) return "";
    return text.substr(begin + before.size(), end - begin - before.size());
  }

  std::string page_of(const Arguments& more, json& report) const {
    Arguments all = more;
    all.insert(all.end(), {"--page", path("page.html")});
    report = report_of(all);
    return support::content_of(path("page.html"));
  }
};

TEST_F(Page, HoldsTheReport) {
  json report;
  const std::string page =
      page_of({"--attribute", "--node-sqnr", "2", "--page-images", "3"}, report);
  json data = json::parse(
      between(page, "<script type=\"application/json\" id=\"data\">", "</script>"), nullptr, false);
  ASSERT_TRUE(data.is_object());
  const json thumbnails = data.at("thumbnails");
  data.erase("thumbnails");
  EXPECT_EQ(data, report);
  EXPECT_LE(thumbnails.size(), 3U);
  EXPECT_EQ(thumbnails.size(), std::min<size_t>(3, report.at("flips").size()));
  for (const json& picture : thumbnails) {
    EXPECT_EQ(picture.get<std::string>().rfind("data:image/bmp;base64,Qk0", 0), 0U) << "BM";
  }
}

TEST_F(Page, AsksNobodyForAnything) {
  json report;
  const std::string page = page_of({}, report);
  EXPECT_THAT(page, Not(HasSubstr("{{")));
  EXPECT_FALSE(std::regex_search(page, std::regex("(src|href)=.?https?:")));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_LT(page.size(), 3U << 20U);
}

TEST_F(Page, CountsRightAnswersByClassAndWhatFlipped) {
  json report;
  page_of({}, report);
  int64_t in_float = 0, quantized = 0, images = 0;
  for (const json& its : report.at("classes")) {
    in_float += its.at("float").get<int64_t>();
    quantized += its.at("quantized").get<int64_t>();
    images += its.at("count").get<int64_t>();
  }
  EXPECT_EQ(in_float, report.at("float").at("correct"));
  EXPECT_EQ(quantized, report.at("quantized").at("correct"));
  EXPECT_EQ(images, report.at("count"));
  EXPECT_EQ(report.at("flips").size(),
            report.at("count").get<size_t>() - report.at("agreeing").get<size_t>());
}

TEST_F(Page, DescribesWeightsAndTheirCodes) {
  json report;
  page_of({"--weight-bit-width", "4"}, report);
  EXPECT_EQ(report.at("layers").size(), 4U);
  for (const json& layer : report.at("layers")) {
    EXPECT_EQ(layer.at("bits"), 4);
    EXPECT_EQ(layer.at("codes"), 16);
    EXPECT_LE(layer.at("codes_used").get<int>(), 16);
    EXPECT_GT(layer.at("codes_used").get<int>(), 1);
    EXPECT_GT(layer.at("sqnr_db").get<double>(), 5);
    EXPECT_LT(layer.at("smallest").get<double>(), layer.at("largest").get<double>());
    int64_t weights = 0;
    for (const json& count : layer.at("histogram").at("counts")) weights += count.get<int64_t>();
    EXPECT_GT(weights, 0);
  }
}

TEST_F(Page, SaysHowToRepeatTheRun) {
  json report;
  page_of({"--weight-bit-width", "4", "--no-bias-corr", "--mean", "0.5", "0.5", "0.5"}, report);
  const std::string command = report.at("command");
  for (const char* words : {"--weight-bit-width 4", "--no-bias-corr", "--mean 0.5 0.5 0.5"}) {
    EXPECT_THAT(command, HasSubstr(words));
  }
  EXPECT_THAT(command, Not(HasSubstr("--act-bit-width")));
}

TEST_F(Page, CostsNothingWhereNobodyAsks) {
  const json report = report_of();
  for (const char* key : {"layers", "classes", "flips"}) EXPECT_TRUE(report.at(key).is_null());
}

TEST_F(Page, DrawsTheGraph) {
  report_of({"--dump-graph", path("graph.dot")});
  const std::string dot = support::content_of(path("graph.dot"));
  EXPECT_EQ(dot.rfind("digraph network {", 0), 0U);
  EXPECT_THAT(dot, HasSubstr("conv, weights 8 bits"));
  EXPECT_THAT(dot, HasSubstr("8 bits, unsigned"));
  EXPECT_THAT(dot, HasSubstr("-> logits;"));
}

TEST_F(Page, DrawsTheGraphInNoOtherFormat) {
  const support::ProgramResult result = run(good({"--dump-graph", path("graph.png")}));
  EXPECT_EQ(result.exit_code, 64);
  EXPECT_THAT(result.err, HasSubstr("must end in .svg or .dot"));
}

}  // namespace
}  // namespace ptq::cli
