#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/constant_layers.h"
#include "eval/evaluate.h"
#include "ptq/quant/quantized_network.h"

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

/// Sentences about scales, once they are found: one that is not finite, and one at the smallest
/// value there is, which stands for weights or activations that were zero throughout. A layer whose
/// channels or groups are zero in part is usual.
std::vector<std::string> suspicions_of_scales(const QuantizedNetwork& network);

/// A sentence about a layer that does not see the image any more; none for none.
std::vector<std::string> suspicions_of_layers(const std::optional<ConstantLayer>& constant);

}  // namespace ptq::eval
