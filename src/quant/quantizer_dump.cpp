#include "quant/quantizer_dump.h"

#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "ptq/base/error.h"
#include "quant/layer_quantizers.h"
#include "quant/quantizer_sites.h"

namespace ptq::quant {
namespace {

using nlohmann::json;

/// A number, or a list in row-major order; null for what is not known before the run.
json numbers(const at::Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  if (tensor.dim() == 0) return tensor.item<float>();
  const at::Tensor flat = tensor.to(at::kCPU).contiguous().reshape({-1});
  return std::vector<float>(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
}

json zero_points(const Quantizer& quantizer, const at::Tensor& scale) {
  if (quantizer.symmetry == Symmetry::kAsymmetric) return numbers(quantizer.zero_point);
  if (!scale.defined() || scale.dim() == 0) return 0;
  return std::vector<int64_t>(static_cast<size_t>(scale.numel()), 0);
}

json format_json(const NumberFormat& format) {
  const auto* minifloat = std::get_if<MinifloatFormat>(&format);
  if (minifloat == nullptr) return {{"format", "int"}};
  const bool ocp = minifloat->codes == MinifloatFormat::Codes::kOcp;
  return {{"format", ocp ? "float_ocp" : "float"},
          {"exponent_bit_width", minifloat->exponent_bit_width},
          {"mantissa_bit_width", minifloat->mantissa_bit_width}};
}

std::string_view granularity_word(Granularity granularity) {
  switch (granularity) {
    case Granularity::kPerTensor:
      return "per_tensor";
    case Granularity::kPerChannel:
      return "per_channel";
    case Granularity::kPerGroup:
      return "per_group";
  }
  throw InternalError("a granularity is unknown");
}

json entry(const QuantizerSite& site, const Quantizer& quantizer, const at::Tensor& scale) {
  json result = describe_quantizer(site.name, quantizer);
  if (!scale.defined() && !result["dynamic"].get<bool>()) {
    throw InternalError(site.name + ": its scale is not known");
  }
  result["scale"] = numbers(scale);
  result["zero_point"] = zero_points(quantizer, scale);
  const bool in_groups = quantizer.granularity == Granularity::kPerGroup;
  const bool has_axis = in_groups || (scale.defined() && scale.dim() > 0);
  result["axis"] = has_axis ? json(quantizer.axis) : json();
  if (in_groups && scale.defined()) result["scale_shape"] = scale.sizes().vec();
  return result;
}

}  // namespace

json describe_quantizer(const std::string& name, const Quantizer& quantizer) {
  const IntegerFormat* integers = quantizer.integer();
  json result = {{"name", name},
                 {"kind", kind_word(quantizer.kind)},
                 {"layer", quantizer.layer},
                 {"bit_width", bit_width(quantizer.format)},
                 {"signed", is_signed(quantizer.format)},
                 {"narrow_range", integers != nullptr && integers->narrow_range},
                 {"granularity", granularity_word(quantizer.granularity)},
                 {"dynamic", quantizer.kind == QuantizerKind::kActivation &&
                                 !quantizer.is_static_per_tensor()}};
  if (quantizer.granularity == Granularity::kPerGroup) result["group_size"] = quantizer.group_size;
  result.update(format_json(quantizer.format));
  return result;
}

json quantizer_dump(const QuantizedNetwork& network) {
  ir::Graph copy = network.graph;
  const ir::Index index(copy);
  json dump = json::array();
  for (const QuantizerSite& site : quantizer_sites(copy)) {
    if (is_without_bias(site, network.table)) continue;
    const Quantizer& quantizer = network.table.at(site.id);
    const bool is_bias = quantizer.kind == QuantizerKind::kBias;
    dump.push_back(entry(site, quantizer,
                         is_bias ? bias_scale(index, *site.node, network.table)
                                 : network.table.scale_of(site.id).value));
  }
  return dump;
}

void write_quantizer_dump(const std::string& path, const QuantizedNetwork& network) {
  AtomicFile file(path);
  file.stream() << quantizer_dump(network).dump(1) << "\n";
  file.commit();
}

}  // namespace ptq::quant
