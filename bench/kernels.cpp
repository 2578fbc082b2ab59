#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/rand.h>
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "quant/activation_statistic.h"
#include "quant/fake_quantize.h"
#include "quant/weight_scale.h"

/// The kernels of quantization, on two threads: fake quantization of 64 MiB beside a copy, and what
/// the search of weight scales takes for a ResNet18.
namespace ptq::quant {
namespace {

constexpr int64_t kActivations = 64 * 1024 * 1024 / 4;
constexpr int64_t kGrain = 1 << 15;

const at::Tensor& activations() {
  static const at::Tensor x = at::rand({1, 64, 512, 512}).sub(0.5).mul(8);
  return x;
}

/// loop(in, out, count) over all activations, on all threads.
template <class Loop>
void over_activations(benchmark::State& state, Loop loop) {
  at::set_num_threads(2);
  const float* in = activations().data_ptr<float>();
  at::Tensor y = at::empty_like(activations());
  float* out = y.data_ptr<float>();
  for (auto _ : state) {
    at::parallel_for(0, kActivations, kGrain, [&](int64_t begin, int64_t end) {
      loop(in + begin, out + begin, end - begin);
    });
  }
  state.SetBytesProcessed(state.iterations() * kActivations * 8);
}

void copy(benchmark::State& state) {
  over_activations(state, [](const float* in, float* out, int64_t count) {
    std::memcpy(out, in, static_cast<size_t>(count) * sizeof(float));
  });
}

void integers(benchmark::State& state) {
  over_activations(state, [](const float* in, float* out, int64_t count) {
    fake_quantize(in, out, count, QParams{0.03F, 0, -128, 127});
  });
}

void minifloats(benchmark::State& state) {
  over_activations(state, [](const float* in, float* out, int64_t count) {
    fake_quantize(in, out, count, MinifloatParams{0.01F, 3, -9, 448});
  });
}

void dynamic(benchmark::State& state, const Quantizer& quantizer, at::MemoryFormat layout) {
  at::set_num_threads(2);
  QuantizerTable table;
  const ir::QuantizerId id = table.add(quantizer);
  const at::Tensor x = activations().contiguous(layout);
  for (auto _ : state) benchmark::DoNotOptimize(fake_quantize_activation(x, table, id));
}

Quantizer dynamic_quantizer(const NumberFormat& format, Granularity granularity) {
  Quantizer quantizer;
  quantizer.format = format;
  quantizer.timing = Timing::kDynamic;
  quantizer.granularity = granularity;
  quantizer.axis = 1;
  if (granularity == Granularity::kPerGroup) quantizer.scale_type = ScaleType::kPowerOfTwo;
  return quantizer;
}

/// One batch of a calibration: every pass over 64 MiB, on one thread.
void statistic(benchmark::State& state, Symmetry symmetry, Calibration calibration) {
  Quantizer quantizer;
  quantizer.symmetry = symmetry;
  quantizer.calibration = calibration;
  quantizer.format = IntegerFormat{8, symmetry == Symmetry::kSymmetric, false};
  for (auto _ : state) {
    const auto measured = make_activation_statistic(quantizer, 99.999, kActivations);
    for (int pass = 0; pass < measured->passes(); ++pass) {
      measured->begin_pass(pass);
      measured->add(activations().data_ptr<float>(), kActivations);
      measured->end_pass(pass);
    }
    benchmark::DoNotOptimize(measured->result());
  }
}

/// Shapes of a ResNet18's weights: 11.7 million in all.
std::vector<at::Tensor> resnet18_weights() {
  std::vector<at::Tensor> weights{at::rand({64, 3, 7, 7}), at::rand({1000, 512})};
  int64_t in = 64;
  for (const int64_t out : {64, 128, 256, 512}) {
    weights.push_back(at::rand({out, in, 3, 3}));
    for (int i = 0; i < 3; ++i) weights.push_back(at::rand({out, out, 3, 3}));
    if (in != out) weights.push_back(at::rand({out, in, 1, 1}));
    in = out;
  }
  for (at::Tensor& weight : weights) weight = weight.sub(0.5).pow(3);
  return weights;
}

void weight_scales(benchmark::State& state, Granularity granularity, Calibration calibration,
                   Symmetry symmetry) {
  at::set_num_threads(2);
  static const std::vector<at::Tensor> weights = resnet18_weights();
  Quantizer quantizer;
  quantizer.kind = QuantizerKind::kWeight;
  quantizer.format = IntegerFormat{8, symmetry == Symmetry::kSymmetric, false};
  quantizer.symmetry = symmetry;
  quantizer.granularity = granularity;
  quantizer.calibration = calibration;
  for (auto _ : state) {
    for (const at::Tensor& weight : weights) {
      benchmark::DoNotOptimize(solve_weight_scale(weight, quantizer));
    }
  }
}

BENCHMARK(copy)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(integers)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(minifloats)->Unit(benchmark::kMillisecond)->UseRealTime();

constexpr IntegerFormat kInt8{8, true, false};
constexpr MinifloatFormat kE4M3{4, 3, MinifloatFormat::Codes::kOcp};

#define PTQ_BENCHMARK(function, name, ...) \
  BENCHMARK_CAPTURE(function, name, __VA_ARGS__)->Unit(benchmark::kMillisecond)->UseRealTime()

PTQ_BENCHMARK(dynamic, int8_per_tensor, dynamic_quantizer(kInt8, Granularity::kPerTensor),
              at::MemoryFormat::Contiguous);
PTQ_BENCHMARK(dynamic, mxint8_channels_last, dynamic_quantizer(kInt8, Granularity::kPerGroup),
              at::MemoryFormat::ChannelsLast);
PTQ_BENCHMARK(dynamic, mxfp8_channels_last, dynamic_quantizer(kE4M3, Granularity::kPerGroup),
              at::MemoryFormat::ChannelsLast);
PTQ_BENCHMARK(dynamic, mxint8_nchw, dynamic_quantizer(kInt8, Granularity::kPerGroup),
              at::MemoryFormat::Contiguous);

PTQ_BENCHMARK(statistic, percentile, Symmetry::kSymmetric, Calibration::kStatistics);
PTQ_BENCHMARK(statistic, interval, Symmetry::kAsymmetric, Calibration::kStatistics);
PTQ_BENCHMARK(statistic, mse_symmetric, Symmetry::kSymmetric, Calibration::kMse);
PTQ_BENCHMARK(statistic, mse_asymmetric, Symmetry::kAsymmetric, Calibration::kMse);

PTQ_BENCHMARK(weight_scales, statistics_per_channel, Granularity::kPerChannel,
              Calibration::kStatistics, Symmetry::kSymmetric);
PTQ_BENCHMARK(weight_scales, mse_per_channel, Granularity::kPerChannel, Calibration::kMse,
              Symmetry::kSymmetric);
PTQ_BENCHMARK(weight_scales, mse_per_tensor, Granularity::kPerTensor, Calibration::kMse,
              Symmetry::kSymmetric);
PTQ_BENCHMARK(weight_scales, mse_per_channel_asymmetric, Granularity::kPerChannel,
              Calibration::kMse, Symmetry::kAsymmetric);
PTQ_BENCHMARK(weight_scales, hqo_per_channel, Granularity::kPerChannel, Calibration::kHqo,
              Symmetry::kSymmetric);
PTQ_BENCHMARK(weight_scales, hqo_per_channel_asymmetric, Granularity::kPerChannel,
              Calibration::kHqo, Symmetry::kAsymmetric);
PTQ_BENCHMARK(weight_scales, hqo_per_tensor, Granularity::kPerTensor, Calibration::kHqo,
              Symmetry::kSymmetric);

}  // namespace
}  // namespace ptq::quant

BENCHMARK_MAIN();
