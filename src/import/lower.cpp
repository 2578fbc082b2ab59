#include "import/lower.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>
#include <unordered_set>

#include "import/chance.h"
#include "import/lowerings.h"
#include "import/messages.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

using Names = std::unordered_set<std::string>;

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

/// Where a mask of pixel values picks, its sum says how many values there are.
bool picks_by_values(const Call& call, const Recorder& recorder) {
  if (call.name != "index") return false;
  std::vector<at::Tensor> indices;
  collect_tensors(call.argument("indices"), indices);
  return std::any_of(indices.begin(), indices.end(), [&](const at::Tensor& index) {
    const bool is_mask = index.scalar_type() == at::kBool || index.scalar_type() == at::kByte;
    return is_mask && recorder.follows(index);
  });
}

/// Operators whose result depends on the shape of a tensor but not on its values.
bool reads_shape_only(const std::string& name) {
  static const Names names = {"zeros_like", "ones_like", "full_like",
                              "empty_like", "new_zeros", "new_ones",
                              "new_full",   "new_empty", "_shape_as_tensor"};
  return names.count(name) > 0;
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
  add_recurrent_lowerings(table);
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

/// as_strided reads the memory of the whole tensor that it is given a part of.
Lowered lower_as_strided(const Call& call, Recorder& recorder) {
  const at::Tensor self = call.tensor("self"), whole = recorder.whole_of(self);
  if (!whole.defined()) {
    throw ImportError(join_path(recorder.module(), call.name) +
                      " reads memory that no tensor of the model owns");
  }
  const int64_t offset =
      call.has("storage_offset") ? call.integer("storage_offset") : self.storage_offset();
  ir::Opaque view{"aten::as_strided", "", {ir::InputRef{0}}};
  view.arguments.emplace_back(constant_dims(call.integers("size")));
  view.arguments.emplace_back(constant_dims(call.integers("stride")));
  view.arguments.emplace_back(ir::Dim{offset, false});
  return {recorder.append(std::move(view), {recorder.read_memory(whole)}, call.result().sizes(),
                          call.name)};
}

Lowered lower(const Call& call, Recorder& recorder) {
  if (call.name == "as_strided") return lower_as_strided(call, recorder);
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

void prepare_call(const Call& call, Recorder& recorder) {
  const std::string place = join_path(recorder.module(), call.name);
  const std::vector<at::Tensor> tensors = tensors_of(call.arguments);
  const bool follows = recorder.follows(tensors);
  for (const at::Tensor& tensor : tensors) recorder.check_readable(tensor);
  check_chance(call, follows, place);
  if (!follows) return;
  if (reads_values(call.name)) {
    throw ImportError(place + " (" + call.schema->name() +
                      ") makes a decision from pixel values, which a graph cannot follow");
  }
  if (picks_by_values(call, recorder)) {
    throw ImportError(place + " (" + call.schema->name() +
                      ") gives as many values as pixels say, which a graph cannot follow");
  }
  if (is_in_place(*call.schema) && call.arguments.front().isTensor()) {
    recorder.prepare_write(call.arguments.front().toTensor());
  }
}

void record_call(const Call& call, Recorder& recorder) {
  if (call.results.empty() || !recorder.follows(tensors_of(call.arguments))) return;
  if (reads_shape_only(call.name)) return;
  const bool unchanged = passes_through(call);
  if (!unchanged && !is_tensor_operator(*call.schema)) return check_hands_on(call, recorder);

  recorder.now_runs(call.name + " (" + call.schema->name() + ")");
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
  for (const at::Tensor& input : inputs) {
    // LibTorch computes with integers and decisions beside floats as if they were floats.
    values.push_back(recorder.read(recorder.follows(input) ? input : input.to(at::kFloat)));
  }
  return recorder.append(std::move(op), std::move(values), result.sizes(), call.name);
}

Lowered lower_to(const Call& call, Recorder& recorder, ir::Op op, const at::Tensor& input) {
  return {append_for(call, recorder, std::move(op), {input}, call.result())};
}

int64_t from_front(int64_t dim, int64_t rank) { return dim < 0 ? dim + rank : dim; }

}  // namespace ptq::import
