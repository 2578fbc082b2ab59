#pragma once

#include <string>
#include <vector>

#include "ptq/eval/evaluate.h"

/// Results that look broken are said to be: nobody reads a wrong number as a finding.
namespace ptq::eval {

/// Sentences about one evaluation, `what` being "float" or "quantized": top-1 no better than
/// guessing, the same class for every image, logits that are not finite. Guessing is judged from
/// 20 images on: at most three standard deviations above count / classes.
std::vector<std::string> suspicions(const std::string& what, const Evaluation& evaluation);

/// Sentences about the pair: a quantized network whose logits equal the float network's on every
/// image was not quantized.
std::vector<std::string> suspicions_of_pair(const Evaluation& float_evaluation,
                                            const Evaluation& quantized);

}  // namespace ptq::eval
