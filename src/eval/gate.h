#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "eval/drop_test.h"
#include "ptq/eval/accuracy.h"

/// Whether accuracy fell further than it may.
namespace ptq::eval {

enum class Verdict { kPass, kFail, kInconclusive };

/// "pass", "fail", "inconclusive".
const char* word(Verdict verdict);

struct GateRule {
  /// The largest drop of top-1 that is let pass; a fraction, in [0, 1).
  double max_drop = 0.005;
  /// Of each verdict; a fraction, above 1/2.
  double confidence = 0.95;
};

/// kPaired: image by image (drop_test.h). kUnpaired: from two numbers of right answers, as if on
/// different images; wider where the images are the same.
enum class Pairing { kPaired, kUnpaired };

struct Judgement {
  Verdict verdict = Verdict::kInconclusive;
  Pairing pairing = Pairing::kPaired;
  /// Bounds with the rule's confidence each.
  DropBounds drop;
  Accuracy baseline, now;
  /// Only if paired.
  std::optional<PairedCounts> flips;
};

/// kFail if the drop is significantly greater than the rule's, kPass if it is significantly not
/// greater. Whatever the true drop, a wrong kFail and a wrong kPass each have at most probability
/// 1 - confidence. `counts` has the baseline first.
Verdict verdict_of(const PairedCounts& counts, const GateRule& rule);
Judgement judge(const Answers& baseline, const Answers& now, const GateRule& rule);

/// The same without pairs, from the square-and-add interval of two Wilson scores (Newcombe, Stat.
/// Med. 17, 1998, method 10). Asymptotic: its probabilities are close to the confidence, not
/// bounded by it.
Judgement judge(const Accuracy& baseline, const Accuracy& now, const GateRule& rule);

/// What a judgement would have been with another confidence.
Verdict verdict_at(const Judgement& judgement, const GateRule& rule);

/// "drop 0.667 points (98.7 % to 98.0 %), at least 0.1 and at most 1.9 with 95 % confidence each,
/// ...": what was found, without the verdict.
std::string words_of(const Judgement& judgement, const GateRule& rule);

}  // namespace ptq::eval
