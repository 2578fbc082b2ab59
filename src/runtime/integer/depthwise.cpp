#include "runtime/integer/depthwise.h"

#include <algorithm>

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
  /// Blocks of 16 channels as the vector kernel takes them, if there is one.
  AlignedBytes blocks;
  std::vector<int32_t> constant;
  std::vector<float> scale, bias;
};

int64_t block_bytes(const Windows& w, const DepthwiseKernel& kernel) {
  return w.kernel_width * vectors_of(w, kernel) * 64;
}

template <class Element>
void pack_as(const Windows& w, const DepthwiseKernel& kernel, const int16_t* weights, void* to) {
  const int64_t vectors = vectors_of(w, kernel), rows = kernel.rows;
  auto* const blocks = static_cast<Element*>(to);
  for (int64_t y = 0; y < w.kernel_height; ++y) {
    for (int64_t x = 0; x < w.kernel_width; ++x) {
      for (int64_t c = 0; c < w.channels; ++c) {
        const int64_t block = c / kBlockChannels * w.kernel_width * vectors;
        const int64_t vector = block + x * vectors + y / rows;
        blocks[(vector * kBlockChannels + c % kBlockChannels) * rows + y % rows] =
            static_cast<Element>(*weights++);
      }
    }
  }
}

void pack_blocks(const Windows& w, const DepthwiseKernel& kernel, DepthwiseWeights& weights) {
  const int64_t blocks = (w.channels + kBlockChannels - 1) / kBlockChannels;
  weights.blocks = AlignedBytes(blocks * block_bytes(w, kernel));
  const auto pack = kernel.rows == 4 ? pack_as<int8_t> : pack_as<int16_t>;
  pack(w, kernel, weights.plain.data(), weights.blocks.data());
}

std::shared_ptr<DepthwiseWeights> depthwise_weights(const quant::IntegerLayer& layer,
                                                    const at::Tensor& rows, int32_t zero) {
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
  return result;
}

/// A convolution that reads each channel alone: some kernel rows at once, or tap by tap.
class DepthwiseStep : public Step {
 public:
  DepthwiseStep(std::shared_ptr<const DepthwiseWeights> weights, const Windows& windows,
                const DepthwiseKernel* kernel, uint8_t zero, Tail tail)
      : weights_(std::move(weights)),
        windows_(windows),
        kernel_(kernel),
        zero_(zero),
        tail_(std::move(tail)) {}

  int64_t scratch_bytes() const override {
    if (kernel_ == nullptr) return windows_.channels;
    return columns_reached(windows_) * vectors_of(windows_, *kernel_) * 64 + 64;
  }

  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* scratch) const override {
    return [step = *this, in = inputs.at(0).data_ptr<uint8_t>(),
            epilogue = Epilogue(tail_, inputs, out, windows_.channels),
            scratch = static_cast<uint8_t*>(scratch)] { step.run(in, epilogue, scratch); };
  }

 private:
  void run(const uint8_t* in, const Epilogue& epilogue, uint8_t* scratch) const {
    if (kernel_ == nullptr) std::fill_n(scratch, windows_.channels, zero_);
    const int64_t image_bytes = windows_.in_height * windows_.in_width * windows_.channels;
    for (int64_t image = 0; image < windows_.images; ++image, in += image_bytes) {
      for (int64_t y = 0; y < windows_.out_height; ++y) {
        const int64_t first = (image * windows_.out_height + y) * windows_.out_width;
        if (kernel_ != nullptr) {
          row_by_blocks(in, y, first, epilogue, scratch);
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

  void row_by_blocks(const uint8_t* in, int64_t y, int64_t first, const Epilogue& epilogue,
                     uint8_t* block) const {
    constexpr int64_t kRows = kTileElements / kBlockChannels;
    alignas(64) int32_t sums[kTileElements];
    const int64_t top = y * windows_.stride_y - windows_.padding_y;
    const auto* weights = static_cast<const uint8_t*>(weights_->blocks.data());
    for (int64_t c = 0; c < windows_.channels; c += kBlockChannels) {
      kernel_->load(windows_, in + c, top, zero_, block);
      const int64_t columns_now = std::min(kBlockChannels, windows_.channels - c);
      for (int64_t x = 0; x < windows_.out_width; x += kRows) {
        const int64_t count = std::min(kRows, windows_.out_width - x);
        kernel_->multiply(windows_, block, weights, x, count, sums);
        epilogue.apply({sums, kBlockChannels, nullptr, count, columns_now, first + x, c},
                       columns());
      }
      weights += block_bytes(windows_, *kernel_);
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
  const DepthwiseKernel* kernel_;
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
  const DepthwiseKernel* kernel = depthwise_kernel(layer.weight_zero.empty());
  const auto weights = depthwise_weights(layer, rows, input.zero());
  if (kernel != nullptr) pack_blocks(windows, *kernel, *weights);
  return std::make_unique<DepthwiseStep>(weights, windows, kernel,
                                         static_cast<uint8_t>(input.zero()), std::move(tail));
}

}  // namespace ptq::runtime::integer
