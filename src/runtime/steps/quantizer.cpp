#include "quant/fake_quantize.h"
#include "runtime/steps/step.h"

namespace ptq::runtime {
namespace {

/// Fake quantization whose scales come from the value itself: dynamic, or in groups.
class ValueQuantizer : public Step {
 public:
  ValueQuantizer(const quant::QuantizerTable& table, ir::QuantizerId id) {
    own_.scales.push_back(table.scale_of(id));
    own_.quantizers.push_back(table.at(id));
    own_.quantizers.front().scale = 0;
  }

  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* /*scratch*/) const override {
    return [table = own_, in = inputs.at(0), out] {
      out.copy_(quant::fake_quantize_activation(in, table, 0));
    };
  }

 private:
  /// The one quantizer, number 0.
  quant::QuantizerTable own_;
};

}  // namespace

BuiltStep build_value_quantizer(const StepRequest& request) {
  const auto& op = *request.node.as<ir::FakeQuantize>();
  auto step = std::make_unique<ValueQuantizer>(request.table, op.quantizer);
  return tailed(std::move(step), request.tail, request.inputs[0]);
}

}  // namespace ptq::runtime
