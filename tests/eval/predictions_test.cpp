#include "eval/predictions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/content_hash.h"
#include "ptq/base/error.h"
#include "support/temporary_folder.h"

namespace ptq::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Images a, b, ... with these labels and predictions.
Predictions predictions_of(const std::vector<int64_t>& labels, const std::vector<int64_t>& said) {
  Evaluation evaluation;
  data::ImageFolder folder;
  std::vector<std::string> hashes;
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    folder.items.push_back({"x, \"y\"/" + name + ".jpg", labels[i]});
    hashes.push_back("hash" + name);
    evaluation.items.push_back(static_cast<int64_t>(i));
    evaluation.predictions.push_back(said[i]);
  }
  Predictions predictions = eval::predictions_of(evaluation, folder, hashes);
  predictions.model_hash = "cafe";
  predictions.run_name = "resnet18_fx, int";
  return predictions;
}

template <class Work>
std::string refusal_of(const Work& work) {
  try {
    work();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Predictions, HoldTheEvaluatedImagesAlone) {
  Evaluation evaluation;
  evaluation.items = {0, 2};
  evaluation.predictions = {5, kNoPrediction};
  data::ImageFolder folder;
  folder.items = {{"a", 5}, {"b", 6}, {"c", 7}};
  const Predictions made = eval::predictions_of(evaluation, folder, {"ha", "hb", "hc"});
  ASSERT_EQ(made.images.size(), 2U);
  EXPECT_EQ(made.images[1].image_hash, "hc");
  EXPECT_EQ(made.accuracy().count, 2);
  EXPECT_EQ(made.accuracy().correct, 1);
  EXPECT_EQ(made.data_hash, data::data_hash({"ha", "hc"}, {5, 7}));
}

TEST(Predictions, ComeBackFromTheFile) {
  const support::TemporaryFolder folder;
  Predictions written = predictions_of({1, 2, 3}, {1, 0, kNoPrediction});
  written.arithmetic = runtime::Arithmetic::kInteger;
  write_predictions(folder.file("p.csv"), written);
  const Predictions read = read_predictions(folder.file("p.csv"));
  EXPECT_EQ(read.model_hash, "cafe");
  EXPECT_EQ(read.data_hash, written.data_hash);
  EXPECT_EQ(read.run_name, "resnet18_fx, int");
  EXPECT_EQ(read.arithmetic, runtime::Arithmetic::kInteger);
  ASSERT_EQ(read.images.size(), 3U);
  EXPECT_EQ(read.images[2].path, "x, \"y\"/c.jpg");
  EXPECT_EQ(read.images[2].prediction, kNoPrediction);
  EXPECT_TRUE(read.images[0].right());
}

TEST(Predictions, AreRefusedWhereTheFileIsNotAsWritten) {
  const support::TemporaryFolder folder;
  const std::string path = folder.file("p.csv");
  write_predictions(path, predictions_of({1, 2, 3}, {1, 0, 3}));
  const std::string good = support::content_of(path);
  const auto refusal = [&](const std::string& content) {
    folder.write("p.csv", content);
    return refusal_of([&] { read_predictions(path); });
  };
  EXPECT_EQ(refusal(good), "");
  EXPECT_THAT(refusal(good.substr(0, good.rfind("hashc"))), HasSubstr("was changed or cut short"));
  EXPECT_THAT(refusal("a,b,c\n"),
              HasSubstr("p.csv: line 1: --save-predictions did not write this file"));
  EXPECT_THAT(refusal(good + "x,1\n"), HasSubstr("line 9: five fields are expected"));
  EXPECT_THAT(refusal(good + "x,1,one,0,p\n"), HasSubstr("line 9: \"one\" is not a number"));
  EXPECT_THAT(refusal(good + "x,1,2,1,p\n"), HasSubstr("line 9: \"right\" is 1"));
  EXPECT_THAT(refusal(good + std::string(70'000, ',')), HasSubstr("line 9: it is longer than any"));
  EXPECT_THAT(refusal(""), HasSubstr("holds no predictions"));
  EXPECT_THAT(refusal_of([&] { read_predictions(folder.path() + "/none"); }),
              HasSubstr("none cannot be read"));
}

TEST(Pair, MatchesImagesByContentWhateverTheirOrder) {
  const Predictions before = predictions_of({1, 2, 3}, {1, 0, 3});
  Predictions after = predictions_of({1, 2, 3}, {1, 2, 0});
  std::swap(after.images[0], after.images[2]);
  after.images[1].path = "elsewhere";
  const PairedPredictions paired = pair("p.csv", before, after);
  EXPECT_THAT(paired.baseline_right, ElementsAre(1, 0, 1));
  EXPECT_THAT(paired.right, ElementsAre(1, 1, 0));
  EXPECT_EQ(compare(paired.baseline(), paired.now()).agreeing, 1);
}

TEST(Pair, RefusesOtherImagesAndOtherLabels) {
  const Predictions three = predictions_of({1, 2, 3}, {1, 2, 3});
  EXPECT_EQ(refusal_of([&] {
              pair("p.csv", predictions_of({1, 2}, {1, 2}), three);
            }),
            "p.csv was written for other images: 2 of the 3 images now evaluated are among its 2");
  EXPECT_EQ(refusal_of([&] {
              pair("p.csv", predictions_of({1, 2, 4}, {1, 2, 3}), three);
            }),
            "p.csv was written for other images: their labels differ");
}

}  // namespace
}  // namespace ptq::eval
