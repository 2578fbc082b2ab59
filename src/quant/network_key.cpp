#include "quant/network_key.h"

#include <c10/core/ScalarType.h>

#include <cstdio>
#include <sstream>

#include "base/hash.h"
#include "ir/exact_text.h"
#include "ptq/ir/tensors.h"

namespace ptq::quant {
namespace {

void add(Sha256& hash, const at::Tensor& tensor) {
  if (!tensor.defined()) {
    hash.add("none;");
    return;
  }
  std::ostringstream kind;
  kind << c10::toString(tensor.scalar_type()) << tensor.sizes() << ";";
  hash.add(kind.str());
  const at::Tensor plain = tensor.cpu().contiguous();
  hash.add({static_cast<const char*>(plain.data_ptr()), plain.nbytes()});
}

void add(std::ostream& text, const NumberFormat& format) {
  if (const auto* integer = std::get_if<IntegerFormat>(&format)) {
    const auto& [bits, is_signed, narrow] = *integer;
    text << "integer " << bits << is_signed << narrow;
  } else {
    const auto& [exponent, mantissa, codes] = std::get<MinifloatFormat>(format);
    text << "minifloat " << exponent << ' ' << mantissa << ' ' << static_cast<int>(codes);
  }
}

// Taken to pieces by structured bindings: a new field does not compile before it is added here.
void add(Sha256& hash, const Quantizer& quantizer) {
  const auto& [kind, layer, format, symmetry, granularity, scale_type, calibration, timing, axis,
               group_size, scale, zero_point, truncation] = quantizer;
  std::ostringstream text;
  text << static_cast<int>(kind) << ' ' << layer << ' ';
  add(text, format);
  text << ' ' << static_cast<int>(symmetry) << ' ' << static_cast<int>(granularity) << ' '
       << static_cast<int>(scale_type) << ' ' << static_cast<int>(calibration) << ' '
       << static_cast<int>(timing) << ' ' << axis << ' ' << group_size << ' ' << scale << ' ';
  if (truncation) {
    const auto& [of, count, dropped_bits] = *truncation;
    text << of << ' ' << count << ' ' << dropped_bits;
  }
  hash.add(text.str());
  add(hash, zero_point);
}

void add(Sha256& hash, const Scale& scale) {
  const auto& [divisor, value] = scale;
  char text[40];
  std::snprintf(text, sizeof text, "%a;", divisor);
  hash.add(text);
  add(hash, value);
}

}  // namespace

std::string network_key(const QuantizedNetwork& network) {
  Sha256 hash;
  hash.add(ir::exact_text(network.graph));
  ir::Graph copy = network.graph;  // tensors are visited to be replaced
  for (ir::Node& node : copy.nodes) {
    ir::visit_tensors(node.op, [&](at::Tensor& tensor) { add(hash, tensor); });
  }
  for (const Quantizer& quantizer : network.table.quantizers) add(hash, quantizer);
  for (const Scale& scale : network.table.scales) add(hash, scale);
  return hash.hex();
}

std::string weights_key(const QuantizedNetwork& network) {
  Sha256 hash;
  for (const ir::Node& node : network.graph.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr || layer->weight_quantizer == ir::kNoQuantizer) continue;
    Quantizer quantizer = network.table.at(layer->weight_quantizer);
    quantizer.scale = -1;  // a position among all scales
    hash.add(node.name + ";");
    add(hash, layer->weight.value);
    add(hash, quantizer);
    add(hash, network.table.scale_of(layer->weight_quantizer));
  }
  return hash.hex();
}

}  // namespace ptq::quant
