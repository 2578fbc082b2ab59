#include "report/page/network_details.h"

#include <ATen/ops/full_like.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "eval/sqnr.h"
#include "quant/fake_quantize.h"

namespace ptq::report {
namespace {

constexpr size_t kBins = 48;

/// Codes farther than this stand for no table of used ones.
constexpr int kWidestCounted = 16;

Histogram histogram_of(const at::Tensor& values, double low, double high) {
  Histogram histogram{low, high, std::vector<int64_t>(kBins, 0)};
  const double width = high > low ? (high - low) / static_cast<double>(kBins) : 1;
  const float* data = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    const double bin = std::floor((double{data[i]} - low) / width);
    ++histogram.counts[static_cast<size_t>(std::clamp(bin, 0.0, double{kBins - 1}))];
  }
  return histogram;
}

/// What the codes of one scale reach; of a minifloat both ends alike.
struct Reach {
  double low = 0, high = 0;
};

Reach reach_of(const quant::Quantizer& quantizer, double scale, double zero_point) {
  if (const auto* minifloat = quantizer.minifloat()) {
    return {-minifloat->largest() * scale, minifloat->largest() * scale};
  }
  const quant::IntegerFormat& format = *quantizer.integer();
  return {(format.quant_min() - zero_point) * scale, (format.quant_max() - zero_point) * scale};
}

/// Of the scale that reaches farthest.
Reach widest_reach(const quant::Quantizer& quantizer, const at::Tensor& scale) {
  const at::Tensor flat = scale.cpu().reshape({-1});
  const auto widest = flat.argmax().item<int64_t>();
  const at::Tensor zero =
      quantizer.zero_point.defined() ? quantizer.zero_point.cpu().reshape({-1}) : at::Tensor();
  return reach_of(quantizer, flat[widest].item<double>(),
                  zero.defined() ? zero[std::min(widest, zero.numel() - 1)].item<double>() : 0);
}

int64_t distinct(const at::Tensor& codes) {
  const float* data = codes.data_ptr<float>();
  const std::set<float> all(data, data + codes.numel());
  return static_cast<int64_t>(all.size());
}

/// Each weight's step, [weights]; of groups the widest, of minifloats none ends.
at::Tensor steps_of(const quant::Quantizer& quantizer, const at::Tensor& scale,
                    const at::Tensor& weight) {
  if (quantizer.integer() == nullptr) return at::full_like(weight, INFINITY);
  if (quantizer.granularity != quant::Granularity::kPerChannel) {
    return at::full_like(weight, scale.max().item<double>());
  }
  std::vector<int64_t> sizes(static_cast<size_t>(weight.dim()), 1);
  const int64_t axis = quantizer.axis < 0 ? quantizer.axis + weight.dim() : quantizer.axis;
  sizes.at(static_cast<size_t>(axis)) = scale.numel();
  return scale.reshape(sizes).expand_as(weight).contiguous();
}

/// Sums over pairs of weight and fake-quantized weight.
void compare(WeightDetail& detail, const at::Tensor& exact, const at::Tensor& quantized,
             const at::Tensor& steps) {
  const float *x = exact.data_ptr<float>(), *q = quantized.data_ptr<float>();
  const float* step = steps.data_ptr<float>();
  double signal = 0, noise = 0;
  int64_t clipped = 0, zeroed = 0;
  for (int64_t i = 0; i < exact.numel(); ++i) {
    const double difference = double{x[i]} - double{q[i]};
    signal += double{x[i]} * double{x[i]};
    noise += difference * difference;
    if (std::abs(difference) > 0.501 * double{step[i]}) ++clipped;
    if (q[i] == 0 && x[i] != 0) ++zeroed;
  }
  const auto count = static_cast<double>(std::max<int64_t>(1, exact.numel()));
  detail.sqnr = eval::decibels(signal, noise);
  detail.clipped = static_cast<double>(clipped) / count;
  detail.zeroed = static_cast<double>(zeroed) / count;
}

WeightDetail weight_detail(const ir::Node& node, const ir::Weighted& layer,
                           const quant::QuantizerTable& table) {
  const quant::Quantizer& quantizer = table.at(layer.weight_quantizer);
  const at::Tensor scale = table.scale_of(layer.weight_quantizer).value.cpu();
  const at::Tensor exact = layer.weight.value.cpu().contiguous();
  const at::Tensor quantized =
      quant::fake_quantize_weight(layer.weight.value, table, layer.weight_quantizer)
          .cpu()
          .contiguous();
  WeightDetail detail;
  detail.name = node.name;
  detail.operation = ir::op_name(node.op);
  detail.bits = quant::bit_width(quantizer.format);
  detail.scales = scale.numel();
  detail.smallest = exact.min().item<double>();
  detail.largest = exact.max().item<double>();
  const Reach reach = widest_reach(quantizer, scale);
  detail.lowest_code = reach.low;
  detail.highest_code = reach.high;
  compare(detail, exact, quantized, steps_of(quantizer, scale, exact));
  if (quantizer.integer() != nullptr && detail.bits <= kWidestCounted) {
    const quant::IntegerFormat& format = *quantizer.integer();
    detail.codes = static_cast<int64_t>(format.quant_max() - format.quant_min()) + 1;
    detail.codes_used =
        distinct(quant::quantize_weight(layer.weight.value, table, layer.weight_quantizer)
                     .cpu()
                     .contiguous());
  }
  detail.histogram = histogram_of(exact, detail.smallest, detail.largest);
  return detail;
}

/// Of every layer with a weight quantizer, in order of execution.
std::vector<WeightDetail> weight_details(const QuantizedNetwork& network) {
  std::vector<WeightDetail> all;
  for (const ir::Node& node : network.graph.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr || layer->weight_quantizer == ir::kNoQuantizer) continue;
    all.push_back(weight_detail(node, *layer, network.table));
  }
  return all;
}

/// Of every activation quantizer, in order of execution.
std::vector<ActivationDetail> activation_details(const QuantizedNetwork& network) {
  std::vector<ActivationDetail> all;
  for (const ir::Node& node : network.graph.nodes) {
    const auto* fake = node.as<ir::FakeQuantize>();
    if (fake == nullptr) continue;
    const quant::Quantizer& quantizer = network.table.at(fake->quantizer);
    ActivationDetail detail{node.name,
                            quant::bit_width(quantizer.format),
                            quant::is_signed(quantizer.format),
                            quantizer.scale,
                            {},
                            {}};
    const at::Tensor& scale = network.table.scale_of(fake->quantizer).value;
    if (quantizer.timing == quant::Timing::kStatic && scale.defined()) {
      const Reach reach = widest_reach(quantizer, scale);
      detail.lowest = reach.low;
      detail.highest = reach.high;
    }
    all.push_back(std::move(detail));
  }
  return all;
}

bool is_static_integer(const quant::Quantizer& quantizer) {
  return quantizer.integer() != nullptr && quantizer.timing == quant::Timing::kStatic &&
         quantizer.granularity != quant::Granularity::kPerGroup;
}

}  // namespace

RunDetails network_details(const QuantizedNetwork& network,
                           const std::optional<exporting::Truth>& truth) {
  RunDetails details;
  details.weights = weight_details(network);
  details.activations = activation_details(network);
  details.truth = truth;
  const auto& all = network.table.quantizers;
  if (!truth && std::all_of(all.begin(), all.end(), is_static_integer)) {
    details.truth = exporting::truth_of(network);
  }
  return details;
}

}  // namespace ptq::report
