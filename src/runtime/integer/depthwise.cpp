#include "runtime/integer/depthwise.h"

#include <algorithm>

#include "base/cpu_isa.h"
#include "runtime/integer/depthwise_kernel.h"
#include "runtime/integer/epilogue.h"
#include "runtime/integer/packed_columns.h"
#include "runtime/integer/product_kernel.h"

namespace ptq::runtime::integer {
namespace {

struct DepthwiseWeights {
  int64_t channels, taps;
  /// [taps][channels], without their zero points.
  std::vector<int16_t> plain;
  /// [blocks of 16 channels][kernel_width][quads][16][4], for VNNI.
  AlignedBytes quads;
  std::vector<int32_t> constant;
  std::vector<float> scale, bias;
};

int64_t block_bytes(const Windows& w) { return w.kernel_width * quads_of(w) * 64; }

void pack_quads(const Windows& w, const int8_t* rows, int64_t channels, int8_t* to) {
  for (int64_t c = 0; c < channels; ++c) {
    int8_t* block = to + c / kQuadChannels * block_bytes(w);
    for (int64_t y = 0; y < w.kernel_height; ++y) {
      for (int64_t x = 0; x < w.kernel_width; ++x) {
        const int64_t vector = x * quads_of(w) + y / 4;
        block[vector * 64 + c % kQuadChannels * 4 + y % 4] =
            rows[c * w.kernel_height * w.kernel_width + y * w.kernel_width + x];
      }
    }
  }
}

std::shared_ptr<const DepthwiseWeights> depthwise_weights(const quant::IntegerLayer& layer,
                                                          const at::Tensor& rows,
                                                          const Windows& windows, int32_t zero) {
  auto result = std::make_shared<DepthwiseWeights>();
  const int64_t channels = rows.size(0), taps = rows.size(1);
  const auto* weights = rows.data_ptr<int8_t>();
  result->channels = channels, result->taps = taps;
  result->plain.resize(static_cast<size_t>(channels * taps));
  for (int64_t c = 0; c < channels; ++c) {
    const auto at = static_cast<size_t>(c);
    const int32_t weight_zero = layer.weight_zero.empty() ? 0 : layer.weight_zero[at];
    int32_t sum = 0;
    for (int64_t tap = 0; tap < taps; ++tap) {
      const int32_t weight = weights[c * taps + tap] - weight_zero;
      result->plain[static_cast<size_t>(tap * channels + c)] = static_cast<int16_t>(weight);
      sum += weight;
    }
    const int32_t bias = layer.bias.empty() ? 0 : layer.bias[at];
    result->constant.push_back(static_cast<int32_t>(
        static_cast<uint32_t>(bias) - static_cast<uint32_t>(zero) * static_cast<uint32_t>(sum)));
  }
  result->scale = layer.scale;
  if (layer.float_bias.defined()) {
    const float* bias = layer.float_bias.data_ptr<float>();
    result->bias.assign(bias, bias + channels);
  }
  const int64_t blocks = (channels + kQuadChannels - 1) / kQuadChannels;
  result->quads = AlignedBytes(blocks * block_bytes(windows));
  pack_quads(windows, weights, channels, static_cast<int8_t*>(result->quads.data()));
  return result;
}

/// A convolution that reads each channel alone: by VNNI four kernel rows at once, or tap by tap.
class DepthwiseStep : public Step {
 public:
  DepthwiseStep(std::shared_ptr<const DepthwiseWeights> weights, const Windows& windows,
                bool by_quads, uint8_t zero, Tail tail)
      : weights_(std::move(weights)),
        windows_(windows),
        by_quads_(by_quads),
        zero_(zero),
        tail_(std::move(tail)) {}

  int64_t scratch_bytes() const override {
    const int64_t quads = columns_reached(windows_) * quads_of(windows_) * 64;
    return by_quads_ ? quads + 64 : windows_.channels;
  }

  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* scratch) const override {
    return [step = *this, in = inputs.at(0).data_ptr<uint8_t>(),
            epilogue = Epilogue(tail_, inputs, out, windows_.channels),
            scratch = static_cast<uint8_t*>(scratch)] { step.run(in, epilogue, scratch); };
  }

 private:
  void run(const uint8_t* in, const Epilogue& epilogue, uint8_t* scratch) const {
    if (!by_quads_) std::fill_n(scratch, windows_.channels, zero_);
    const int64_t image_bytes = windows_.in_height * windows_.in_width * windows_.channels;
    for (int64_t image = 0; image < windows_.images; ++image, in += image_bytes) {
      for (int64_t y = 0; y < windows_.out_height; ++y) {
        const int64_t first = (image * windows_.out_height + y) * windows_.out_width;
        if (by_quads_) {
          row_by_quads(in, y, first, epilogue, scratch);
        } else {
          row_by_taps(in, y, first, epilogue, scratch);
        }
      }
    }
  }

  Columns columns() const {
    return {weights_->constant.data(), nullptr, weights_->scale.data(),
            weights_->bias.empty() ? nullptr : weights_->bias.data()};
  }

  void row_by_quads(const uint8_t* in, int64_t y, int64_t first, const Epilogue& epilogue,
                    uint8_t* quads) const {
    constexpr int64_t kRows = kTileElements / kQuadChannels;
    alignas(64) int32_t sums[kTileElements];
    const int64_t top = y * windows_.stride_y - windows_.padding_y;
    const auto* weights = static_cast<const int8_t*>(weights_->quads.data());
    for (int64_t c = 0; c < windows_.channels; c += kQuadChannels) {
      load_quads(windows_, in + c, top, zero_, quads);
      const int64_t columns_now = std::min(kQuadChannels, windows_.channels - c);
      for (int64_t x = 0; x < windows_.out_width; x += kRows) {
        const int64_t count = std::min(kRows, windows_.out_width - x);
        multiply_quads(windows_, quads, weights, x, count, sums);
        epilogue.apply({sums, kQuadChannels, nullptr, count, columns_now, first + x, c}, columns());
      }
      weights += block_bytes(windows_);
    }
  }

  void row_by_taps(const uint8_t* in, int64_t y, int64_t first, const Epilogue& epilogue,
                   const uint8_t* zeros) const {
    constexpr int64_t kColumns = 64;
    alignas(64) int32_t sums[kColumns];
    std::vector<const uint8_t*> taps(static_cast<size_t>(weights_->taps));
    for (int64_t x = 0; x < windows_.out_width; ++x) {
      for (int64_t c = 0; c < windows_.channels; c += kColumns) {
        for (int64_t tap = 0; tap < weights_->taps; ++tap) {
          const uint8_t* pixel = tap_of(in, y, x, tap);
          taps[static_cast<size_t>(tap)] = (pixel == nullptr ? zeros : pixel) + c;
        }
        const int64_t count = std::min(kColumns, windows_.channels - c);
        multiply_taps(taps.data(), weights_->taps, weights_->plain.data() + c, windows_.channels,
                      count, sums);
        epilogue.apply({sums, count, nullptr, 1, count, first + x, c}, columns());
      }
    }
  }

  const uint8_t* tap_of(const uint8_t* in, int64_t out_y, int64_t out_x, int64_t tap) const {
    const int64_t y = out_y * windows_.stride_y - windows_.padding_y +
                      tap / windows_.kernel_width * windows_.dilation_y;
    const int64_t x = out_x * windows_.stride_x - windows_.padding_x +
                      tap % windows_.kernel_width * windows_.dilation_x;
    const bool inside = y >= 0 && y < windows_.in_height && x >= 0 && x < windows_.in_width;
    return inside ? in + (y * windows_.in_width + x) * windows_.channels : nullptr;
  }

  std::shared_ptr<const DepthwiseWeights> weights_;
  Windows windows_;
  bool by_quads_;
  uint8_t zero_;
  Tail tail_;
};

}  // namespace

bool is_depthwise(const Windows& windows, int64_t output_channels) {
  return !windows.transposed && windows.groups == windows.channels && windows.groups > 1 &&
         output_channels == windows.channels;
}

std::unique_ptr<Step> depthwise_step(const quant::IntegerLayer& layer, const at::Tensor& rows,
                                     const Windows& windows, const quant::ByteFormat& input,
                                     Tail tail) {
  const bool by_quads = may_use(CpuIsa::kAvx512Vnni) && layer.weight_zero.empty();
  return std::make_unique<DepthwiseStep>(depthwise_weights(layer, rows, windows, input.zero()),
                                         windows, by_quads, static_cast<uint8_t>(input.zero()),
                                         std::move(tail));
}

}  // namespace ptq::runtime::integer
