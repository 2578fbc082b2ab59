#include "passes/correct_biases.h"

#include <ATen/ops/zeros.h>

#include <optional>

#include "passes/bias_correction/float_layers.h"
#include "passes/bias_correction/mean_output.h"
#include "passes/bias_correction/shift_bias.h"
#include "passes/bias_correction/tap_means.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"
#include "quant/layer_quantizers.h"

// A layer is linear, so the mean of its output is its weight times the mean of what each tap of its
// kernel meets (tap_means.h). With x the layer's input, T its mean by tap, Q the input quantizer
// that is part of the layer, if there is one, and T' the mean of Q(x), else T:
//
//   mean(float output) - mean(quantized output) = W T + b - (Wq T' + bq)
//
// So neither output is needed, nor a second run of the network.
namespace ptq::passes {
namespace {

/// The means of one layer's input while images pass.
struct InputMeans {
  TapMeans plain;
  std::optional<TapMeans> quantized;
};

class InputWatch {
 public:
  InputWatch(QuantizedNetwork& network, const BiasCorrectionOptions& options)
      : table_(network.table), options_(options), layers_(network.graph, options) {
    for (const FloatLayer& layer : layers_.layers()) {
      index_.emplace(layer.in_stream, means_.size());
      means_.push_back(means_of(layer));
    }
  }

  void watch(const NextBatch& next_batch);
  LayerInputMeans means() const;

 private:
  InputMeans means_of(const FloatLayer& layer) const;
  std::unique_ptr<runtime::Executor> executor();
  void observe(const ir::Node& node, const at::Tensor& value, int lane);

  const quant::QuantizerTable& table_;
  const BiasCorrectionOptions& options_;
  FloatLayers layers_;
  /// By number of the layer.
  std::vector<InputMeans> means_;
  std::unordered_map<const ir::Node*, size_t> index_;
};

InputMeans InputWatch::means_of(const FloatLayer& layer) const {
  const auto axis =
      layer.layer->is<ir::Linear>() ? TapMeans::ChannelAxis::kLast : TapMeans::ChannelAxis::kSecond;
  const TapMeans means(windows_of(layers_.stream(), *layer.in_stream),
                       input_channels(layer.layer->op), axis, options_.execution.threads);
  if (layer.own_quantizer == ir::kNoQuantizer) return {means, std::nullopt};
  return {means, means};
}

std::unique_ptr<runtime::Executor> InputWatch::executor() {
  runtime::ExecutorOptions executor;
  executor.observes = [this](const ir::Node& node) { return index_.count(&node) != 0; };
  executor.observer = [this](const ir::Node& node, const at::Tensor& value, int lane) {
    observe(node, value, lane);
  };
  return runtime::make_executor({layers_.stream(), table_}, options_.execution, executor);
}

void InputWatch::observe(const ir::Node& node, const at::Tensor& value, int lane) {
  const size_t number = index_.at(&node);
  InputMeans& means = means_[number];
  means.plain.add(value, lane);
  if (!means.quantized) return;
  const ir::QuantizerId own = layers_.layers()[number].own_quantizer;
  means.quantized->add(quant::fake_quantize_activation(value, table_, own), lane);
}

void InputWatch::watch(const NextBatch& next_batch) {
  const auto stream = executor();
  int64_t batches = 0;
  while (const std::optional<at::Tensor> images = next_batch()) {
    stream->run(*images);
    for (InputMeans& means : means_) {
      means.plain.end_batch();
      if (means.quantized) means.quantized->end_batch();
    }
    ++batches;
  }
  if (batches == 0) throw DataError("there are no calibration images");
}

LayerInputMeans InputWatch::means() const {
  LayerInputMeans means;
  for (size_t number = 0; number < means_.size(); ++number) {
    LayerInputMean& mean = means[layers_.layers()[number].layer->name];
    mean.plain = means_[number].plain.mean();
    if (means_[number].quantized) mean.quantized = means_[number].quantized->mean();
  }
  return means;
}

/// By output channel, [out] float32.
at::Tensor shift(const ir::Index& index, const quant::QuantizerTable& table,
                 const FloatLayer& layer, const LayerInputMean& means) {
  const ir::Op& op = layer.layer->op;
  const quant::LayerTensors quantized = quant::quantized_layer_tensors(index, *layer.layer, table);
  const std::vector<double> in_float =
      mean_output(op, ir::weighted(layer.in_stream->op)->weight.value, means.plain);
  const std::vector<double> in_codes =
      mean_output(op, quantized.weight, means.quantized ? *means.quantized : means.plain);

  at::Tensor shift = at::zeros({static_cast<int64_t>(in_float.size())}, at::kDouble);
  for (size_t i = 0; i < in_float.size(); ++i) {
    shift.data_ptr<double>()[i] = in_float[i] - in_codes[i];
  }
  if (quantized.bias.defined())
    shift.add_(ir::weighted(op)->bias->value.to(at::kDouble)).sub_(quantized.bias);
  return shift.to(at::kFloat);
}

}  // namespace

LayerInputMeans mean_layer_inputs(QuantizedNetwork& network, const BiasCorrectionOptions& options,
                                  const NextBatch& next_batch) {
  InputWatch inputs(network, options);
  inputs.watch(next_batch);
  return inputs.means();
}

BiasCorrection correct_biases(QuantizedNetwork& network, const BiasCorrectionOptions& options,
                              const LayerInputMeans& means) {
  const ir::Index index(network.graph);
  const FloatLayers layers(network.graph, options);
  BiasCorrection report;
  double sum = 0;
  int64_t channels = 0;
  for (const FloatLayer& each : layers.layers()) {
    ir::Node& node = *each.layer;
    ir::Weighted& layer = *ir::weighted(node.op);
    const at::Tensor by_channel = shift(index, network.table, each, means.at(node.name));
    if (!by_channel.isfinite().all().item<bool>()) {
      throw QuantizationError(node.name + ": its values are not finite on the calibration images");
    }
    ++report.layers;
    report.created += layer.bias ? 0 : 1;
    channels += by_channel.numel();
    sum += shift_bias(layer, by_channel);
  }
  if (channels > 0) report.mean_shift = sum / static_cast<double>(channels);
  return report;
}

BiasCorrection correct_biases(QuantizedNetwork& network, const BiasCorrectionOptions& options,
                              const NextBatch& next_batch) {
  return correct_biases(network, options, mean_layer_inputs(network, options, next_batch));
}

}  // namespace ptq::passes
