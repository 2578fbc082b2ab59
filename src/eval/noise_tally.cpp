#include "eval/noise_tally.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/ordered_sum.h"
#include "eval/sqnr.h"

namespace ptq::eval {
namespace {

/// [channels, values] in float64.
at::Tensor by_channel(const at::Tensor& tensor, int64_t axis) {
  const at::Tensor rows = tensor.movedim(axis, 0).contiguous();
  return rows.reshape({rows.size(0), -1}).to(at::kDouble);
}

/// What is not a number is worse than any: such a channel is the widest and the noisiest.
std::vector<double> numbers(const at::Tensor& tensor) {
  std::vector<double> values(tensor.data_ptr<double>(), tensor.data_ptr<double>() + tensor.numel());
  for (double& value : values) {
    if (std::isnan(value)) value = std::numeric_limits<double>::infinity();
  }
  return values;
}

/// The lower one of two.
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::optional<double> step_of(const quant::QuantizerTable& table, ir::QuantizerId id) {
  const at::Tensor& scale = table.scale_of(id).value;
  if (table.at(id).integer() == nullptr || !scale.defined()) return std::nullopt;
  return scale.max().item<double>();
}

}  // namespace

void NoiseTally::add(const at::Tensor& exact, const at::Tensor& quantized) {
  const at::Tensor values = by_channel(exact, axis_);
  const at::Tensor difference = values.sub(by_channel(quantized, axis_));
  const at::Tensor signal = values.mul(values).sum(1);
  const at::Tensor noise = difference.mul(difference).sum(1);
  const at::Tensor largest = values.abs().amax(1);
  signal_ = signal_.defined() ? signal_.add(signal) : signal;
  noise_ = noise_.defined() ? noise_.add(noise) : noise;
  largest_ = largest_.defined() ? largest_.maximum(largest) : largest;
}

double NoiseTally::sqnr() const { return decibels(ordered_sum(signal_), ordered_sum(noise_)); }

double NoiseTally::median_channel_sqnr() const {
  const std::vector<double> signal = numbers(signal_), noise = numbers(noise_);
  std::vector<double> ratios;
  for (size_t i = 0; i < signal.size(); ++i) {
    if (signal[i] == 0 && noise[i] == 0) continue;
    const double ratio = decibels(signal[i], noise[i]);
    ratios.push_back(std::isnan(ratio) ? -std::numeric_limits<double>::infinity() : ratio);
  }
  return ratios.empty() ? std::numeric_limits<double>::infinity() : median(ratios);
}

ValueRange NoiseTally::range() const {
  const std::vector<double> largest = numbers(largest_);
  const auto widest = std::max_element(largest.begin(), largest.end());
  const double middle = median(largest);
  ValueRange range{*widest, widest - largest.begin(), 1};
  if (*widest > middle) range.widest_to_median = *widest / middle;
  return range;
}

OwnTally::OwnTally(const quant::QuantizerTable& table, ir::QuantizerId id)
    : step_(step_of(table, id)) {}

void OwnTally::add(const at::Tensor& exact, const at::Tensor& quantized) {
  const at::Tensor before = exact.contiguous(), after = quantized.contiguous();
  const float* from = before.data_ptr<float>();
  const float* to = after.data_ptr<float>();
  // Half a step and what float32 may add to it: further away than any code in reach.
  const double reach = 0.5 * step_.value_or(0) * (1 + 1e-4);
  count_ += before.numel();
  for (int64_t i = 0; i < before.numel(); ++i) {
    const double difference = double{from[i]} - double{to[i]};
    signal_ += double{from[i]} * double{from[i]};
    noise_ += difference * difference;
    nonzero_ += from[i] != 0 ? 1 : 0;
    vanished_ += from[i] != 0 && to[i] == 0 ? 1 : 0;
    clipped_ += std::abs(difference) > reach + 1e-6 * std::abs(double{from[i]}) ? 1 : 0;
  }
}

OwnNoise OwnTally::result() const {
  const auto share = [](int64_t part, int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  OwnNoise own{decibels(signal_, noise_), step_, share(vanished_, nonzero_), std::nullopt};
  if (step_) own.clipped = share(clipped_, count_);
  return own;
}

}  // namespace ptq::eval
