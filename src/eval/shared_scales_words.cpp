#include <sstream>

#include "eval/shared_scales.h"

namespace ptq::eval {
namespace {

/// What the scale costs most, in a sentence's words.
std::string loser_of(const UnevenJoin& join) {
  if (!join.loser.empty()) return join.loser;
  return join.kind == Join::kConcat ? "the concat" : "the sum";
}

std::string sentence(const UnevenJoin& worst, size_t like_it, const char* remedy) {
  std::ostringstream text;
  text.precision(3);
  const bool concat = worst.kind == Join::kConcat;
  text << worst.name << (concat ? " joins" : " adds") << " values that reach " << worst.wide
       << " and " << worst.narrow << " (" << worst.wide / worst.narrow
       << " to 1) with one scale that reaches " << worst.scale << ", which costs "
       << loser_of(worst) << " " << worst.lost << " dB";
  if (like_it > 0) text << " (and " << like_it << " more like it)";
  text << "; " << remedy;
  return text.str();
}

}  // namespace

std::vector<std::string> words(const std::vector<UnevenJoin>& joins) {
  std::vector<UnevenJoin> residual, other;
  for (const UnevenJoin& join : joins) {
    (join.kind == Join::kResidual ? residual : other).push_back(join);
  }
  std::vector<std::string> sentences;
  if (!residual.empty()) {
    sentences.push_back(sentence(residual.front(), residual.size() - 1,
                                 "--residual-adds wide gives operands scales of their own"));
  }
  if (!other.empty()) {
    sentences.push_back(sentence(other.front(), other.size() - 1,
                                 "--target-backend layerwise rounds the inputs of layers alone"));
  }
  return sentences;
}

}  // namespace ptq::eval
