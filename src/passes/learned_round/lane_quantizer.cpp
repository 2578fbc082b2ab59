#include <ATen/ops/empty_like.h>

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/vector_loop.h"
#include "passes/learned_round/drop_rule.h"
#include "passes/learned_round/lane_pass.h"
#include "quant/fake_quantize.h"

namespace ptq::passes {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// min(max(x, floor), ceiling), whose derivative passes strictly between them.
struct Clamp {
  float floor = -kInfinity;
  float ceiling = kInfinity;
  /// One a channel in place of `ceiling`; undefined: that.
  at::Tensor ceilings = {};
};

Clamp clamp_of(const ir::Node* node) {
  if (node == nullptr) return {};
  if (node->is<ir::Relu>()) return {0, kInfinity};
  const auto& ceiling = node->as<ir::Relu6>()->ceiling;
  return {0, 6, ceiling ? ceiling->value.contiguous() : at::Tensor()};
}

/// What is in force for element i of a row.
struct OneCeiling {
  float value;
  float operator()(int64_t /*i*/) const { return value; }
};
struct CeilingByChannel {
  const float* values;
  float operator()(int64_t i) const { return values[i]; }
};

/// Elements in the order they lie in memory: `outer` times `rows` times `count`. Masks go by the
/// positions that they have row-major: element i of row r is `row_step` r + `step` i after the
/// first of its outer part, and parts follow each other.
struct Places {
  int64_t outer, rows, count;
  uint32_t row_step, step;
};

/// With a row of channels for each pixel if `by_channel`; the value then lies so.
Places places_of(const at::Tensor& value, bool by_channel) {
  if (!by_channel && value.is_contiguous()) return {1, 1, value.numel(), 0, 1};
  const int64_t pixels = value.size(2) * value.size(3);
  return {value.size(0), pixels, value.size(1), 1, static_cast<uint32_t>(pixels)};
}

struct Quantization {
  quant::QParams params;
  float floor;
  float ceiling;
  /// One an element of a row, or nullptr.
  const float* ceilings;
  DropRule rule;
};

/// One pass over a value: clamp, quantize, drop, and note where derivatives pass. `y` may be `x`,
/// which `omp simd` here and below tells the compiler. The derivative of y = (q - z) s by log s,
/// straight through rounding, is y - x, or y where codes clip; it goes to `by_log_scale`.
template <class Ceiling, class Drops, class Learns>
inline void quantize_rows(const float* x, float* y, uint8_t* passes, float* by_log_scale,
                          Places places, uint32_t first, const Quantization& how, Ceiling ceilings,
                          Drops, Learns) {
  const quant::QParams p = how.params;
  const float floor = how.floor;
  const DropRule rule = how.rule;
  const auto part = static_cast<uint32_t>(places.rows * places.count);
  for (int64_t o = 0; o < places.outer; ++o, first += part) {
    for (int64_t r = 0; r < places.rows; ++r) {
      const uint32_t position = first + static_cast<uint32_t>(r) * places.row_step;
#pragma omp simd
      for (int64_t i = 0; i < places.count; ++i) {
        const float value = x[i];
        const float ceiling = ceilings(i);
        const float above = value < floor ? floor : value;
        const float in = above > ceiling ? ceiling : above;
        const float quantized = quant::fake_quantize(in, p);
        const bool dropped =
            Drops::value && is_dropped(position + static_cast<uint32_t>(i) * places.step, rule);
        y[i] = dropped ? in : quantized;
        const bool is_inside = (value > floor) & (value < ceiling);
        const bool is_coded = (in >= rule.low) & (in <= rule.high);
        passes[i] = static_cast<uint8_t>(is_inside & (dropped | is_coded));
        if (Learns::value) by_log_scale[i] = dropped ? 0 : quantized - (is_coded ? in : 0);
      }
      x += places.count, y += places.count, passes += places.count;
      if (Learns::value) by_log_scale += places.count;
    }
  }
}

template <class Drops, class Learns>
inline void quantize_places(const float* x, float* y, uint8_t* passes, float* by_log_scale,
                            Places places, uint32_t first, const Quantization& how, Drops drops,
                            Learns learns) {
  if (how.ceilings == nullptr) {
    quantize_rows(x, y, passes, by_log_scale, places, first, how, OneCeiling{how.ceiling}, drops,
                  learns);
  } else {
    quantize_rows(x, y, passes, by_log_scale, places, first, how, CeilingByChannel{how.ceilings},
                  drops, learns);
  }
}

constexpr VectorLoop quantize_all = [](const float* x, float* y, uint8_t* passes, float* by_scale,
                                       Places places, uint32_t first, const Quantization& how) {
  quantize_places(x, y, passes, by_scale, places, first, how, std::false_type(), std::false_type());
};
constexpr VectorLoop quantize_some = [](const float* x, float* y, uint8_t* passes, float* by_scale,
                                        Places places, uint32_t first, const Quantization& how) {
  quantize_places(x, y, passes, by_scale, places, first, how, std::true_type(), std::false_type());
};
constexpr VectorLoop quantize_learning = [](const float* x, float* y, uint8_t* passes,
                                            float* by_scale, Places places, uint32_t first,
                                            const Quantization& how) {
  quantize_places(x, y, passes, by_scale, places, first, how, std::true_type(), std::true_type());
};

constexpr VectorLoop inner_product = [](const float* a, const float* b, int64_t count) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(a[i] * b[i]);
  return sum;
};

constexpr VectorLoop pass_where = [](const float* g, const uint8_t* passes, float* out,
                                     int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) out[i] = passes[i] != 0 ? g[i] : 0;
};
constexpr VectorLoop add_where = [](const float* g, const uint8_t* passes, float* out,
                                    int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) out[i] += passes[i] != 0 ? g[i] : 0;
};

class QuantizerPass : public LanePass {
 public:
  QuantizerPass(LaneNode node, const quant::QuantizerTable& table, const ir::Node* before)
      : node_(std::move(node)),
        table_(table),
        id_(node_.node->as<ir::FakeQuantize>()->quantizer),
        clamp_(clamp_of(before)),
        places_(places_of(node_.output, clamp_.ceilings.defined())),
        passes_(at::empty_like(node_.output, at::kByte)),
        learns_(node_.by_log_scale != nullptr && node_.by_output.defined()) {
    if (learns_) by_log_scale_ = at::empty_like(node_.output);
  }

  void forward(const LaneStep& step) override {
    const Dropping dropping = step.dropping.of(node_.number);
    const Quantization how{std::get<quant::QParams>(quant::element_params(table_, id_)),
                           clamp_.floor, clamp_.ceiling,
                           clamp_.ceilings.defined() ? clamp_.ceilings.data_ptr<float>() : nullptr,
                           rule_of(table_, id_, dropping)};
    const auto first =
        static_cast<uint32_t>(step.first_image * (node_.output.numel() / node_.images));
    const auto run = [&](const auto& loop) {
      loop(node_.inputs[0].data_ptr<float>(), node_.output.data_ptr<float>(),
           passes_.data_ptr<uint8_t>(), learns_ ? by_log_scale_.data_ptr<float>() : nullptr,
           places_, first, how);
    };
    if (learns_) return run(quantize_learning);
    dropping.probability > 0 ? run(quantize_some) : run(quantize_all);
  }

  void backward() override {
    if (learns_) {
      *node_.by_log_scale += inner_product(node_.by_output.data_ptr<float>(),
                                           by_log_scale_.data_ptr<float>(), passes_.numel());
    }
    const Sink& sink = node_.sinks[0];
    if (!sink.gradient.defined()) return;
    const auto run = [&](const auto& loop) {
      loop(node_.by_output.data_ptr<float>(), passes_.data_ptr<uint8_t>(),
           sink.gradient.data_ptr<float>(), passes_.numel());
    };
    sink.adds ? run(add_where) : run(pass_where);
  }

 private:
  LaneNode node_;
  const quant::QuantizerTable& table_;
  ir::QuantizerId id_;
  Clamp clamp_;
  Places places_;
  at::Tensor passes_;
  bool learns_;
  /// Derivatives of the outputs.
  at::Tensor by_log_scale_;
};

}  // namespace

bool is_clamp(const ir::Node& node, Planes planes) {
  const auto* relu6 = node.as<ir::Relu6>();
  if (relu6 == nullptr || !relu6->ceiling) return node.is<ir::Relu>() || relu6 != nullptr;
  const at::Tensor& ceiling = relu6->ceiling->value;
  return planes == Planes::kChannelsLast && ceiling.dim() == 3 &&
         ceiling.numel() == ceiling.size(0);
}

bool is_quantized_in_lanes(const ir::Node& node, const quant::QuantizerTable& table) {
  const auto* fake = node.as<ir::FakeQuantize>();
  if (fake == nullptr) return false;
  const quant::Quantizer& quantizer = table.at(fake->quantizer);
  return quantizer.is_static_per_tensor() && quantizer.integer() != nullptr &&
         !quantizer.truncation;
}

std::unique_ptr<LanePass> quantizer_pass(const LaneNode& node, const quant::QuantizerTable& table,
                                         const ir::Node* before) {
  return std::make_unique<QuantizerPass>(node, table, before);
}

}  // namespace ptq::passes
