#include "eval/gate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

void check(const GateRule& rule) {
  const bool good =
      rule.max_drop >= 0 && rule.max_drop < 1 && rule.confidence > 0.5 && rule.confidence < 1;
  if (!good) throw InternalError("a gate's rule is out of range");
}

/// z with P(N(0, 1) < z) = p, p in (1/2, 1).
double normal_quantile(double p) {
  double low = 0;
  double high = 40;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::sqrt(2.0)) / 2 > 1 - p ? low : high) = middle;
  }
  return low;
}

/// How far Wilson's interval of a proportion reaches below and above it.
struct Reach {
  double below = 0;
  double above = 0;
};

Reach wilson(const Accuracy& accuracy, double z) {
  const auto n = static_cast<double>(accuracy.count);
  const double p = accuracy.top1();
  const double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n);
  return {p - std::max(0.0, centre - half), std::min(1.0, centre + half) - p};
}

DropBounds unpaired_bounds(const Accuracy& baseline, const Accuracy& now, double confidence) {
  const double z = normal_quantile(confidence);
  const Reach before = wilson(baseline, z);
  const Reach after = wilson(now, z);
  const double drop = baseline.top1() - now.top1();
  return {drop, drop - std::hypot(before.below, after.above),
          drop + std::hypot(before.above, after.below)};
}

std::string formatted(const char* format, double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string points(double fraction) { return formatted("%.3f", 100 * fraction); }
std::string percent(double fraction) { return formatted("%.3f", 100 * fraction) + " %"; }

}  // namespace

const char* word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kInconclusive:
      break;
  }
  return "inconclusive";
}

Verdict verdict_of(const PairedCounts& counts, const GateRule& rule) {
  check(rule);
  const double level = 1 - rule.confidence;
  if (p_at_most(counts, rule.max_drop) <= level) return Verdict::kFail;
  if (p_at_least(counts, rule.max_drop) <= level) return Verdict::kPass;
  return Verdict::kInconclusive;
}

Judgement judge(const Answers& baseline, const Answers& now, const GateRule& rule) {
  const PairedCounts counts = compare(baseline, now);
  Judgement judgement;
  judgement.verdict = verdict_of(counts, rule);
  judgement.drop = drop_bounds(counts, rule.confidence);
  judgement.flips = counts;
  for (size_t i = 0; i < now.right.size(); ++i) {
    judgement.baseline.correct += baseline.right[i];
    judgement.now.correct += now.right[i];
  }
  judgement.baseline.count = judgement.now.count = counts.count;
  return judgement;
}

Judgement judge(const Accuracy& baseline, const Accuracy& now, const GateRule& rule) {
  check(rule);
  if (baseline.count < 1 || now.count < 1) throw InternalError("a gate judges no images");
  Judgement judgement;
  judgement.pairing = Pairing::kUnpaired;
  judgement.baseline = baseline;
  judgement.now = now;
  judgement.drop = unpaired_bounds(baseline, now, rule.confidence);
  if (judgement.drop.low > rule.max_drop) judgement.verdict = Verdict::kFail;
  if (judgement.drop.high < rule.max_drop) judgement.verdict = Verdict::kPass;
  return judgement;
}

Verdict verdict_at(const Judgement& judgement, const GateRule& rule) {
  return judgement.flips ? verdict_of(*judgement.flips, rule)
                         : judge(judgement.baseline, judgement.now, rule).verdict;
}

std::string words_of(const Judgement& judgement, const GateRule& rule) {
  const DropBounds& drop = judgement.drop;
  std::string text = "top-1 " + percent(judgement.baseline.top1()) + " before, " +
                     percent(judgement.now.top1()) + " now: a drop of " + points(drop.observed) +
                     " points, at least " + points(drop.low) + " and at most " + points(drop.high) +
                     " (each with " + formatted("%g", 100 * rule.confidence) + " % confidence, ";
  if (!judgement.flips) return text + "unpaired); allowed are " + points(rule.max_drop);
  return text + "paired: " + std::to_string(judgement.flips->only_first_right) +
         " right before only, " + std::to_string(judgement.flips->only_second_right) +
         " now only); allowed are " + points(rule.max_drop);
}

}  // namespace ptq::eval
