#include "ptq/eval/guards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ptq::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// `correct` right of `count`, predictions that differ from each other.
Evaluation evaluation_of(int64_t count, int64_t correct, int64_t classes) {
  Evaluation evaluation;
  evaluation.classes = classes;
  evaluation.accuracy = {count, correct, correct};
  for (int64_t i = 0; i < count; ++i) {
    evaluation.predictions.push_back(i % classes);
    evaluation.fingerprints.push_back(static_cast<uint64_t>(i));
  }
  return evaluation;
}

TEST(Suspicions, AreSilentForAnOrdinaryResult) {
  EXPECT_THAT(suspicions("float", evaluation_of(300, 247, 1000)), IsEmpty());
}

// 100 images, 10 classes: guessing gives 10 with deviation 3, so 19 is within three of them.
TEST(Suspicions, NameAccuracyAtChance) {
  EXPECT_THAT(suspicions("quantized", evaluation_of(100, 19, 10)),
              ElementsAre("the quantized network is no better than guessing: 19 of 100 images "
                          "right with 10 classes"));
  EXPECT_THAT(suspicions("quantized", evaluation_of(100, 20, 10)), IsEmpty());
}

TEST(Suspicions, JudgeNothingFromFewImages) {
  EXPECT_THAT(suspicions("float", evaluation_of(19, 0, 10)), IsEmpty());
}

TEST(Suspicions, NameASingleAnswerAndLogitsThatAreNotFinite) {
  Evaluation evaluation = evaluation_of(30, 20, 10);
  evaluation.predictions.assign(30, 4);
  evaluation.not_finite = 2;
  EXPECT_THAT(suspicions("float", evaluation),
              ElementsAre(HasSubstr("every image the same class"),
                          HasSubstr("not finite for 2 of 30 images")));
}

TEST(SuspicionsOfPair, NameIdenticalLogits) {
  const Evaluation one = evaluation_of(30, 20, 10);
  EXPECT_THAT(suspicions_of_pair(one, one), ElementsAre(HasSubstr("nothing was quantized")));
  Evaluation other = one;
  other.fingerprints[7] = 1234;
  EXPECT_THAT(suspicions_of_pair(one, other), IsEmpty());
  EXPECT_THAT(suspicions_of_pair({}, {}), IsEmpty());
}

}  // namespace
}  // namespace ptq::eval
