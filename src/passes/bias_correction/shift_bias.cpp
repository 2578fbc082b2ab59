#include "passes/bias_correction/shift_bias.h"

#include "base/ordered_sum.h"

namespace ptq::passes {

double shift_bias(ir::Weighted& layer, const at::Tensor& shift) {
  if (layer.bias) {
    layer.bias->value = layer.bias->value.add(shift);
  } else {
    const std::string module = layer.weight.name.substr(0, layer.weight.name.rfind('.') + 1);
    layer.bias = ir::Parameter{module + "bias", shift};
  }
  return ordered_sum(shift.abs());
}

}  // namespace ptq::passes
