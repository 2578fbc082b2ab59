#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace ptq::eval {

/// By row of two [N, classes] float32 tensors of logits: the Kullback-Leibler divergence, in nats,
/// of the second's softmax from the first's, sum of p (log p - log q). Infinite where a row is not
/// finite. Throws InternalError if the sizes differ.
std::vector<double> divergences(const at::Tensor& exact, const at::Tensor& other);

/// Spearman's rank correlation of two lists of one length: Pearson's of the ranks, where equal
/// numbers have the mean of their ranks. 0 where one list has a single value only.
double rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace ptq::eval
