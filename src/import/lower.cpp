#include "import/lower.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>
#include <unordered_set>

#include "import/lowerings.h"
#include "import/messages.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

using Names = std::unordered_set<std::string>;

bool is_random(const std::string& name) {
  static const Names names = {"rand",      "randn",      "randint",      "randperm",
                              "rand_like", "randn_like", "randint_like", "bernoulli",
                              "normal",    "uniform",    "multinomial",  "exponential"};
  return names.count(name) > 0;
}

/// Operators that turn pixel values into numbers, decisions or shapes.
bool reads_values(const std::string& name) {
  static const Names names = {"item",          "Bool",           "Int",
                              "Float",         "ScalarImplicit", "IntImplicit",
                              "equal",         "FloatImplicit",  "is_nonzero",
                              "tolist",        "nonzero",        "nonzero_numpy",
                              "masked_select", "unique_dim",     "_unique",
                              "_unique2",      "allclose",       "unique_consecutive"};
  return names.count(name) > 0;
}

/// Operators whose result depends on the shape of a tensor but not on its values.
bool reads_shape_only(const std::string& name) {
  static const Names names = {"zeros_like", "ones_like", "full_like",
                              "empty_like", "new_zeros", "new_ones",
                              "new_full",   "new_empty", "_shape_as_tensor"};
  return names.count(name) > 0;
}

/// The argument that says whether an operator behaves as in training.
const char* training_flag(const std::string& name) {
  static const Names dropouts = {"dropout", "feature_dropout", "alpha_dropout",
                                 "feature_alpha_dropout"};
  if (dropouts.count(name) > 0) return "train";
  return name == "batch_norm" || name == "instance_norm" ? "training" : nullptr;
}

/// A dropout that drops nothing is none: torchvision's Swin calls it so in evaluation mode.
bool is_training_call(const Call& call) {
  const char* flag = training_flag(call.name);
  const bool idle = call.has("p") && call.number("p") == 0;
  return flag != nullptr && !idle && call.has(flag) && call.flag(flag);
}

/// The result is the first argument, perhaps in other memory.
bool passes_through(const Call& call) {
  static const Names names = {
      "contiguous",    "to",      "clone",           "detach",
      "alias",         "dropout", "feature_dropout", "alpha_dropout",
      "type_as",       "lift",    "lift_fresh",      "feature_alpha_dropout",
      "requires_grad", "data"};
  if (names.count(call.name) == 0 || call.arguments.empty()) return false;
  return call.arguments.front().toTensor().scalar_type() == call.result().scalar_type();
}

/// copy_(to, from) as copy_ works on the values: `to` becomes `from`.
bool is_plain_copy(const Call& call) {
  return call.name == "copy" && call.tensor("src").sizes() == call.result().sizes() &&
         call.tensor("src").scalar_type() == call.result().scalar_type();
}

bool is_tensor_operator(const c10::FunctionSchema& schema) {
  return c10::Dispatcher::singleton().findSchema(schema.operator_name()).has_value();
}

bool all_float(const std::vector<at::Tensor>& tensors, const Recorder& recorder) {
  return std::all_of(tensors.begin(), tensors.end(), [&](const at::Tensor& tensor) {
    return tensor.scalar_type() == at::kFloat || !recorder.follows(tensor);
  });
}

LoweringTable make_table() {
  LoweringTable table;
  add_layer_lowerings(table);
  add_pooling_lowerings(table);
  add_elementwise_lowerings(table);
  add_shape_lowerings(table);
  add_attention_lowerings(table);
  add_einsum_lowerings(table);
  return table;
}

Lowered lower_typed(const Call& call, Recorder& recorder) {
  static const LoweringTable table = make_table();
  const auto lowering = table.find(call.name);
  if (lowering == table.end() || call.result().scalar_type() != at::kFloat ||
      !all_float(tensors_of(call.arguments), recorder)) {
    return {};
  }
  return lowering->second(call, recorder);
}

Lowered lower(const Call& call, Recorder& recorder) {
  if (passes_through(call)) return {recorder.read(call.arguments.front().toTensor())};
  if (is_plain_copy(call)) return {recorder.read(call.tensor("src"))};
  Lowered values = lower_typed(call, recorder);
  return values.empty() ? lower_opaque(call, recorder) : values;
}

/// List operators hand tensors on; one that makes a new tensor from image data is beyond us.
void check_hands_on(const Call& call, const Recorder& recorder) {
  for (const at::Tensor& result : call.results) {
    if (!recorder.follows(result)) {
      throw ImportError(join_path(recorder.module(), call.name) + ": " + call.schema->name() +
                        " is not supported");
    }
  }
}

}  // namespace

void check_call(const Call& call, const Recorder& recorder) {
  const std::string place = join_path(recorder.module(), call.name);
  const std::vector<at::Tensor> tensors = tensors_of(call.arguments);
  for (const at::Tensor& tensor : tensors) {
    if (!recorder.follows(tensor)) recorder.check_readable(tensor);
  }
  if (is_random(call.name)) {
    throw ImportError(place + " draws random numbers; a classifier in evaluation mode must not");
  }
  if (is_training_call(call)) {
    throw ImportError(place + " runs as in training; export the model after model.eval()");
  }
  if (reads_values(call.name) && recorder.follows(tensors)) {
    throw ImportError(place + " (" + call.schema->name() +
                      ") makes a decision from pixel values, which a graph cannot follow");
  }
}

void record_call(const Call& call, Recorder& recorder) {
  if (call.results.empty() || !recorder.follows(tensors_of(call.arguments))) return;
  if (reads_shape_only(call.name)) return;
  const bool unchanged = passes_through(call);
  if (!unchanged && !is_tensor_operator(*call.schema)) return check_hands_on(call, recorder);

  const Lowered values = lower(call, recorder);
  if (values.size() != call.results.size()) {
    throw InternalError(call.name + " was lowered to a wrong number of values");
  }
  const bool written = !unchanged && is_in_place(*call.schema);
  for (size_t i = 0; i < values.size(); ++i) {
    written ? recorder.bind_written(call.results[i], values[i])
            : recorder.bind(call.results[i], values[i]);
  }
}

ir::ValueId append_for(const Call& call, Recorder& recorder, ir::Op op,
                       const std::vector<at::Tensor>& inputs, const at::Tensor& result) {
  std::vector<ir::ValueId> values;
  for (const at::Tensor& input : inputs) values.push_back(recorder.read(input));
  return recorder.append(std::move(op), std::move(values), result.sizes(), call.name);
}

Lowered lower_to(const Call& call, Recorder& recorder, ir::Op op, const at::Tensor& input) {
  return {append_for(call, recorder, std::move(op), {input}, call.result())};
}

int64_t from_front(int64_t dim, int64_t rank) { return dim < 0 ? dim + rank : dim; }

}  // namespace ptq::import
