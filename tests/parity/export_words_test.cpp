#include "parity/export_words.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace ptq::parity {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ExportCheck check_of(const std::vector<Disagreement>& disagreeing) {
  ExportCheck check;
  check.runner = "ONNX Runtime";
  check.parity.images = 300;
  check.disagreeing = disagreeing;
  return check;
}

const Parting kTie{"conv.quant", 64, 2, 1, 1e-5};
const Parting kNoTie{"conv.quant", 64, 2, 1, 0.25};

TEST(DisagreementSentence, SaysWhereAndWhyCodesPart) {
  const ExportCheck check = check_of({{"a.jpg", 0.1, kTie}, {"b.jpg", 0.2, kTie}});
  EXPECT_THAT(
      disagreement_sentence({}, check),
      HasSubstr(
          "first a.jpg: codes first differ at conv.quant, 2 of 64; all 2 differ at a rounding "
          "tie, at most 1e-05 steps from the boundary"));
}

TEST(DisagreementSentence, CountsWhatIsNoTie) {
  const ExportCheck check = check_of({{"a.jpg", 0.1, kTie}, {"b.jpg", 0.2, kNoTie}, {"c", 0, {}}});
  EXPECT_THAT(disagreement_sentence({}, check),
              HasSubstr("; 1 of 2 traced differ at a rounding tie"));
}

TEST(DisagreementSentence, SaysNothingOfWhatWasNotTraced) {
  EXPECT_THAT(disagreement_sentence({}, check_of({{"a.jpg", 0.1, {}}})), Not(HasSubstr("traced")));
}

TEST(ExportsReport, HoldsEachDisagreement) {
  ExportReport report;
  report.files.push_back({"ONNX", "a.onnx", 1, {check_of({{"a.jpg", 0.1, kTie}, {"b", 0, {}}})}});
  const nlohmann::json check = exports_json(report).at("files").at(0).at("checks").at(0);
  EXPECT_EQ(check.at("traced"), 1);
  EXPECT_EQ(check.at("ties"), 1);
  EXPECT_EQ(check.at("disagreeing").at(0).at("image"), "a.jpg");
  EXPECT_EQ(check.at("disagreeing").at(0).at("parting").at("node"), "conv.quant");
  EXPECT_TRUE(check.at("disagreeing").at(1).at("parting").is_null());
}

}  // namespace
}  // namespace ptq::parity
