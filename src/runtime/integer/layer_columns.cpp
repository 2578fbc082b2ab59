#include "runtime/integer/layer_columns.h"

namespace ptq::runtime::integer {
namespace {

/// sum (x - zx)(w - zw) = sum x w - zx sum w - zw sum x + terms zx zw: all but the first and the
/// third are constant. Sums wrap around.
int32_t constant_of(const int8_t* weights, int64_t terms, int32_t weight_zero, int32_t bias,
                    int32_t input_zero) {
  int64_t sum = 0;
  for (int64_t term = 0; term < terms; ++term) sum += weights[term];
  const int64_t zeros = input_zero * (terms * weight_zero - sum);
  return static_cast<int32_t>(static_cast<uint32_t>(zeros) + static_cast<uint32_t>(bias));
}

}  // namespace

Columns LayerColumns::columns() const {
  return {constant.data(), weight_zero.empty() ? nullptr : weight_zero.data(), scale.data(),
          bias.empty() ? nullptr : bias.data()};
}

std::shared_ptr<const LayerColumns> layer_columns(const quant::IntegerLayer& layer,
                                                  const at::Tensor& rows, int64_t groups,
                                                  int64_t pieces, const quant::ByteFormat& input) {
  const int64_t channels = rows.size(0), terms = rows.size(1);
  auto result = std::make_shared<LayerColumns>(LayerColumns{
      PanelShape(product_kernel(), terms, channels / groups, pieces), {}, groups, {}, {}, {}, {}});
  const auto* weights = rows.data_ptr<int8_t>();
  result->weight_zero = layer.weight_zero;
  result->scale = layer.scale;
  if (layer.float_bias.defined()) {
    const float* bias = layer.float_bias.data_ptr<float>();
    result->bias.assign(bias, bias + channels);
  }
  for (int64_t c = 0; c < channels; ++c) {
    const auto at = static_cast<size_t>(c);
    result->constant.push_back(constant_of(weights + c * terms, terms,
                                           layer.weight_zero.empty() ? 0 : layer.weight_zero[at],
                                           layer.bias.empty() ? 0 : layer.bias[at], input.zero()));
  }
  result->packed = AlignedBytes(groups * result->shape.bytes());
  for (int64_t group = 0; group < groups; ++group) {
    auto* to = static_cast<uint8_t*>(result->packed.data()) + group * result->shape.bytes();
    result->shape.pack(weights + group * (channels / groups) * terms, 1, terms, false, to);
  }
  return result;
}

}  // namespace ptq::runtime::integer
