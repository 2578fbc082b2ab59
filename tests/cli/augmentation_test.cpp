// Views of calibration images: learned rounding sees them, and nothing else does.

#include <gmock/gmock.h>

#include "cli/program_fixture.h"

namespace ptq::cli {
namespace {

using ::testing::HasSubstr;

class Views : public Program {
 protected:
  static Arguments learned(const Arguments& more) {
    Arguments all = {"--learned-round",       "hard_sigmoid_round",
                     "--learned-round-iters", "20",
                     "--learned-round-lr",    "0.05",
                     "--weight-bit-width",    "4"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  /// The bytes of a file that a run leaves.
  std::string left(const std::string& flag, const Arguments& more,
                   const std::string& workers = "2") const {
    Arguments arguments = good_but("--workers", workers);
    for (const std::string& word : learned(more)) arguments.push_back(word);
    arguments.insert(arguments.end(), {flag, path("left")});
    const support::ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return support::content_of(path("left"));
  }
};

TEST_F(Views, ChangeRoundingsAndNoScale) {
  const Arguments views = {"--calibration-augment", "3"};
  EXPECT_NE(left("--dump-logits", {}), left("--dump-logits", views));
  EXPECT_EQ(left("--dump-quantizers", {}), left("--dump-quantizers", views));
}

TEST_F(Views, AreTheSameWhateverTheWorkersTheMemoryAndTheCache) {
  const auto logits = [&](Arguments more, const std::string& workers = "2") {
    more.insert(more.end(), {"--calibration-augment", "3"});
    return left("--dump-logits", more, workers);
  };
  const std::string expected = logits({});
  EXPECT_EQ(logits({}, "1"), expected);
  EXPECT_EQ(logits({}, "5"), expected);
  EXPECT_EQ(logits({"--activation-memory", "0"}), expected);
  EXPECT_EQ(logits({"--cache", path("cache")}), expected);
  EXPECT_EQ(logits({"--cache", path("cache")}), expected);
  EXPECT_NE(logits({"--seed", "9"}), expected);
}

TEST_F(Views, AreRefusedWhereNothingLearns) {
  for (const Arguments& more : {Arguments{}, Arguments{"--gptq"}}) {
    Arguments arguments = good(more);
    arguments.insert(arguments.end(), {"--calibration-augment", "3"});
    const support::ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 64);
    EXPECT_THAT(result.err, HasSubstr("--calibration-augment 3 with --learned-round None: it would "
                                      "have no effect without --learned-round"));
  }
}

}  // namespace
}  // namespace ptq::cli
