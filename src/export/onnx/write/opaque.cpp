#include "export/onnx/write/opaque.h"

#include <ATen/ops/ones.h>

#include <algorithm>
#include <limits>

#include "export/onnx/write/site.h"
#include "ir/clamp.h"
#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

/// An operator in ONNX. Arguments are LibTorch's, complete and in order.
struct Form {
  std::string_view schema;
  bool (*accepts)(const ir::Opaque&, const ir::Dims&);
  void (*translate)(OnnxSite&, const ir::Opaque&);
};

/// A list of numbers that do not grow with the batch.
std::optional<ir::Ints> integers(const ir::Opaque& op, size_t argument) {
  if (op.arguments.size() <= argument) return std::nullopt;
  const auto* dims = std::get_if<ir::Dims>(&op.arguments[argument]);
  if (dims == nullptr) return std::nullopt;
  for (const ir::Dim& dim : *dims) {
    if (dim.times_batch) return std::nullopt;
  }
  return ir::at_batch(*dims, 1);
}

std::optional<double> number(const ir::Opaque& op, size_t argument) {
  if (op.arguments.size() <= argument) return std::nullopt;
  if (const auto* value = std::get_if<double>(&op.arguments[argument])) return *value;
  const auto* dim = std::get_if<ir::Dim>(&op.arguments[argument]);
  if (dim == nullptr || dim->times_batch) return std::nullopt;
  return static_cast<double>(dim->value);
}

size_t from_front(int64_t dim, size_t rank) {
  return static_cast<size_t>(dim < 0 ? dim + static_cast<int64_t>(rank) : dim);
}

/// aten::roll(self, shifts, dims)
bool is_roll(const ir::Opaque& op, const ir::Dims& shape) {
  const auto shifts = integers(op, 1), dims = integers(op, 2);
  if (!shifts || !dims || shifts->size() != dims->size()) return false;
  return std::none_of(dims->begin(), dims->end(), [&](int64_t dim) {
    return shape.at(from_front(dim, shape.size())).times_batch;
  });
}

/// The last `shift` elements of a dimension come first.
std::string rolled(OnnxSite& site, const std::string& input, int64_t dim, int64_t shift) {
  const auto part = [&](const std::string& word, int64_t begin, int64_t end) {
    return site.step("Slice", word,
                     {input, site.model.add_integers(site.part(word + "_begin"), {begin}),
                      site.model.add_integers(site.part(word + "_end"), {end}),
                      site.model.add_integers(site.part(word + "_axis"), {dim})});
  };
  const std::string last = part("last", -shift, std::numeric_limits<int64_t>::max());
  return site.step("Concat", "rolled", {last, part("first", 0, -shift)}, {{"axis", dim}});
}

void translate_roll(OnnxSite& site, const ir::Opaque& op) {
  const ir::Ints shifts = *integers(op, 1), dims = *integers(op, 2);
  std::string value = site.input();
  for (size_t i = 0; i < dims.size(); ++i) {
    const size_t dim = from_front(dims[i], site.input_shape().size());
    const int64_t extent = site.input_shape()[dim].value;
    const int64_t shift = ((shifts[i] % extent) + extent) % extent;
    if (shift != 0) value = rolled(site, value, static_cast<int64_t>(dim), shift);
  }
  site.finish("Identity", {value});
}

/// aten::constant_pad_nd(self, pad, value)
bool is_constant_pad(const ir::Opaque& op, const ir::Dims&) {
  return integers(op, 1).has_value() && number(op, 2).has_value();
}

/// aten::pad(self, pad, mode, value)
bool is_pad(const ir::Opaque& op, const ir::Dims&) {
  if (!integers(op, 1) || op.arguments.size() < 4) return false;
  const auto* mode = std::get_if<std::string>(&op.arguments[2]);
  const bool has_value =
      number(op, 3).has_value() || std::holds_alternative<std::monostate>(op.arguments[3]);
  return mode != nullptr && *mode == "constant" && has_value;
}

/// LibTorch counts from the last dimension, begin and end of each; ONNX from the first, all begins
/// before all ends.
void finish_pad(OnnxSite& site, const ir::Ints& pad, double value) {
  const size_t rank = site.input_shape().size();
  ir::Ints pads(2 * rank, 0);
  for (size_t i = 0; i < pad.size() / 2; ++i) {
    pads[rank - 1 - i] = pad[2 * i];
    pads[2 * rank - 1 - i] = pad[2 * i + 1];
  }
  site.finish("Pad", {site.input(), site.model.add_integers(site.part("pads"), pads),
                      site.number("padding", value)});
}

void translate_constant_pad(OnnxSite& site, const ir::Opaque& op) {
  finish_pad(site, *integers(op, 1), *number(op, 2));
}
void translate_pad(OnnxSite& site, const ir::Opaque& op) {
  finish_pad(site, *integers(op, 1), number(op, 3).value_or(0));
}

/// aten::norm(self, p, dim, keepdim), aten::linalg_vector_norm(self, ord, dim, keepdim, dtype)
bool is_euclidean_norm(const ir::Opaque& op, const ir::Dims&) {
  const bool is_plain =
      op.arguments.size() < 5 || std::holds_alternative<std::monostate>(op.arguments[4]);
  return is_plain && number(op, 1) == 2.0 && integers(op, 2) &&
         std::holds_alternative<bool>(op.arguments.at(3));
}
void translate_norm(OnnxSite& site, const ir::Opaque& op) {
  finish_reduction(site, "ReduceL2", *integers(op, 2), std::get<bool>(op.arguments[3]));
}

bool is_clamp(const ir::Opaque& op, const ir::Dims&) { return ir::clamp_bounds(op).has_value(); }

/// Clip knows one bound for all; with one a channel, Max and Min.
void translate_clamp(OnnxSite& site, const ir::Opaque& op) {
  const ir::ClampBounds bounds = *ir::clamp_bounds(op);
  const auto bound = [&](const char* word, const at::Tensor& values) {
    if (!values.defined()) return std::string();
    return site.model.add_floats(site.part(word), values);
  };
  const std::string lowest = bound("min", bounds.lowest), highest = bound("max", bounds.highest);
  const bool is_one = (lowest.empty() || bounds.lowest.dim() == 0) &&
                      (highest.empty() || bounds.highest.dim() == 0);
  if (is_one) {
    std::vector<std::string> inputs = {site.input(), lowest};
    if (!highest.empty()) inputs.push_back(highest);
    site.finish("Clip", inputs);
  } else if (highest.empty()) {
    site.finish("Max", {site.input(), lowest});
  } else {
    const std::string raised =
        lowest.empty() ? site.input() : site.step("Max", "raised", {site.input(), lowest});
    site.finish("Min", {raised, highest});
  }
}

/// aten::expand_as(self, other)
bool is_expand_as(const ir::Opaque& op, const ir::Dims&) {
  return op.arguments.size() == 2 && std::holds_alternative<ir::InputRef>(op.arguments[1]);
}
void translate_expand_as(OnnxSite& site, const ir::Opaque&) {
  site.finish("Expand", {site.input(), site.step("Shape", "shape", {site.input(1)})});
}

/// aten::tanh(self)
bool is_anything(const ir::Opaque&, const ir::Dims&) { return true; }
void translate_tanh(OnnxSite& site, const ir::Opaque&) { site.finish("Tanh", {site.input()}); }

void translate_neg(OnnxSite& site, const ir::Opaque&) { site.finish("Neg", {site.input()}); }

/// aten::sum(self, dim, keepdim, dtype), aten::amax(self, dim, keepdim), aten::amin(...)
bool is_reduction(const ir::Opaque& op, const ir::Dims&) {
  const auto dims = integers(op, 1);
  const bool is_plain =
      op.arguments.size() < 4 || std::holds_alternative<std::monostate>(op.arguments[3]);
  return is_plain && dims && !dims->empty() && op.arguments.size() > 2 &&
         std::holds_alternative<bool>(op.arguments[2]);
}
void translate_reduction(OnnxSite& site, const ir::Opaque& op) {
  const char* type = op.schema == "aten::sum"    ? "ReduceSum"
                     : op.schema == "aten::amax" ? "ReduceMax"
                                                 : "ReduceMin";
  finish_reduction(site, type, *integers(op, 1), std::get<bool>(op.arguments[2]));
}

/// How often aten::upsample_nearest2d(self, output_size, scale_factors) repeats each row and
/// column; none where that is no whole number.
std::optional<ir::Ints> repeats(const ir::Opaque& op, const ir::Dims& shape) {
  if (shape.size() != 4 || op.arguments.size() != 3) return std::nullopt;
  ir::Ints times;
  for (size_t i = 0; i < 2; ++i) {
    const ir::Dim& extent = shape[2 + i];
    if (extent.times_batch) return std::nullopt;
    double factor = 0;
    if (const auto* factors = std::get_if<std::vector<double>>(&op.arguments[2])) {
      factor = factors->at(i);
    } else if (const auto size = integers(op, 1)) {
      factor = static_cast<double>(size->at(i)) / static_cast<double>(extent.value);
    }
    times.push_back(static_cast<int64_t>(factor));
    if (factor < 1 || factor != static_cast<double>(times.back())) return std::nullopt;
  }
  return times;
}
bool is_repetition(const ir::Opaque& op, const ir::Dims& shape) {
  return repeats(op, shape).has_value();
}
void translate_repetition(OnnxSite& site, const ir::Opaque& op) {
  const ir::Ints times = *repeats(op, site.input_shape());
  const at::Tensor scales = at::ones({4});
  scales[2] = times[0];
  scales[3] = times[1];
  site.finish("Resize", {site.input(), "", site.model.add_floats(site.part("scales"), scales)},
              {{"mode", "nearest"},
               {"coordinate_transformation_mode", "asymmetric"},
               {"nearest_mode", "floor"}});
}

constexpr Form kForms[] = {
    {"aten::neg", is_anything, translate_neg},
    {"aten::sum", is_reduction, translate_reduction},
    {"aten::amax", is_reduction, translate_reduction},
    {"aten::amin", is_reduction, translate_reduction},
    {"aten::upsample_nearest2d", is_repetition, translate_repetition},
    {"aten::roll", is_roll, translate_roll},
    {"aten::constant_pad_nd", is_constant_pad, translate_constant_pad},
    {"aten::pad", is_pad, translate_pad},
    {"aten::norm", is_euclidean_norm, translate_norm},
    {"aten::linalg_vector_norm", is_euclidean_norm, translate_norm},
    {"aten::clamp_min", is_clamp, translate_clamp},
    {"aten::clamp_max", is_clamp, translate_clamp},
    {"aten::clamp", is_clamp, translate_clamp},
    {"aten::hardtanh", is_clamp, translate_clamp},
    {"aten::expand_as", is_expand_as, translate_expand_as},
    {"aten::tanh", is_anything, translate_tanh},
};

const Form* find(const ir::Opaque& op, const ir::Dims& shape) {
  for (const Form& form : kForms) {
    if (form.schema == op.schema && form.accepts(op, shape)) return &form;
  }
  return nullptr;
}

}  // namespace

bool has_onnx_form(const ir::Opaque& op, const ir::Dims& input_shape) {
  return find(op, input_shape) != nullptr;
}

void translate(OnnxSite& site, const ir::Opaque& op) {
  const Form* form = find(op, site.input_shape());
  if (form == nullptr) {
    throw InternalError(site.node.name + ": " + op.schema + " should have been refused");
  }
  form->translate(site, op);
}

}  // namespace ptq::exporting
