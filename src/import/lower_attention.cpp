#include <cmath>

#include "import/lowerings.h"

namespace ptq::import {
namespace {

/// Appends the steps of one attention, each on the value before.
class AttentionWriter {
 public:
  explicit AttentionWriter(Recorder& recorder) : recorder_(recorder) {}

  /// A value and its shape: the steps are not executed, so there is no tensor to ask.
  struct Step {
    ir::ValueId value;
    ir::Ints shape;
  };

  Step reshape(const Step& x, ir::Ints shape) {
    return append(ir::Reshape{constant_dims(shape)}, {x.value}, shape, "reshape");
  }
  Step permute(const Step& x, const ir::Ints& dims) {
    ir::Ints shape;
    for (const int64_t dim : dims) shape.push_back(x.shape[static_cast<size_t>(dim)]);
    return append(ir::Permute{dims}, {x.value}, shape, "transpose");
  }
  Step linear(const Step& x, const at::Tensor& weight, const at::Tensor& bias) {
    ir::Linear op;
    op.weight = recorder_.parameter(weight, "weight");
    if (bias.defined()) op.bias = recorder_.parameter(bias, "bias");
    ir::Ints shape = x.shape;
    shape.back() = weight.size(0);
    return append(std::move(op), {x.value}, std::move(shape), "linear");
  }
  /// The `index`-th of `count` equal parts of the last dimension.
  Step part(const Step& x, int64_t index, int64_t count) {
    ir::Ints shape = x.shape;
    shape.back() /= count;
    const ir::Slice slice{static_cast<int64_t>(shape.size()) - 1,
                          {index * shape.back(), false},
                          {(index + 1) * shape.back(), false},
                          1};
    return append(slice, {x.value}, std::move(shape), "chunk");
  }
  Step scale(const Step& x, double factor) {
    return append(ir::MulScalar{factor}, {x.value}, x.shape, "mul");
  }
  Step matmul(const Step& a, const Step& b) {
    ir::Ints shape = a.shape;
    shape.back() = b.shape.back();
    return append(ir::MatMul{}, {a.value, b.value}, std::move(shape), "matmul");
  }
  Step add(const Step& a, ir::ValueId b) { return append(ir::Add{}, {a.value, b}, a.shape, "add"); }
  Step softmax(const Step& x) {
    const auto last = static_cast<int64_t>(x.shape.size()) - 1;
    return append(ir::Softmax{last}, {x.value}, x.shape, "softmax");
  }
  Step mean_over_heads(const Step& x) {
    return append(ir::Mean{{1}, false}, {x.value}, {x.shape[0], x.shape[2], x.shape[3]}, "mean");
  }
  Step start(const at::Tensor& tensor) { return {recorder_.read(tensor), tensor.sizes().vec()}; }

 private:
  Step append(ir::Op op, std::vector<ir::ValueId> inputs, ir::Ints shape, const char* word) {
    const ir::ValueId value = recorder_.append(std::move(op), std::move(inputs), shape, word);
    return {value, std::move(shape)};
  }

  Recorder& recorder_;
};

using Step = AttentionWriter::Step;

ir::Ints last_two_swapped(size_t rank) {
  ir::Ints dims;
  for (size_t i = 0; i < rank; ++i) dims.push_back(static_cast<int64_t>(i));
  std::swap(dims[rank - 1], dims[rank - 2]);
  return dims;
}

struct Attended {
  Step output;
  Step weights;
};

/// softmax(q kᵀ + mask) v, over the last two dimensions; q is scaled already.
Attended attend(AttentionWriter& write, const Step& q, const Step& k, const Step& v,
                std::optional<ir::ValueId> mask) {
  Step scores = write.matmul(q, write.permute(k, last_two_swapped(k.shape.size())));
  if (mask) scores = write.add(scores, *mask);
  const Step weights = write.softmax(scores);
  return {write.matmul(weights, v), weights};
}

/// Heads as LibTorch lays them out in front: [L, B, E] -> [B heads, L, E / heads].
Step split_heads(AttentionWriter& write, const Step& x, int64_t heads) {
  const int64_t length = x.shape[0], batch = x.shape[1], width = x.shape[2];
  return write.permute(write.reshape(x, {length, batch * heads, width / heads}), {1, 0, 2});
}

Step merge_heads(AttentionWriter& write, const Step& x, int64_t batch) {
  const int64_t length = x.shape[1], width = x.shape[0] * x.shape[2] / batch;
  return write.reshape(write.permute(x, {1, 0, 2}), {length * batch, width});
}

/// What the caller may ask for beside the output: [B heads, L, L] -> [B, heads, L, L], or their
/// mean. Nodes that nobody reads are removed after the walk.
Step weights_of(AttentionWriter& write, const Step& weights, int64_t heads, bool averaged) {
  const int64_t batch = weights.shape[0] / heads, length = weights.shape[1];
  const Step apart = write.reshape(weights, {batch, heads, length, length});
  return averaged ? write.mean_over_heads(apart) : apart;
}

bool is_plain_self_attention(const Call& call, const Recorder& recorder) {
  const at::Tensor query = call.tensor("query");
  return query.is_same(call.tensor("key")) && query.is_same(call.tensor("value")) &&
         query.dim() == 3 && !call.has("mask") && call.results.size() <= 2 &&
         !recorder.follows(call.tensor("qkv_weight"));
}

/// The steps that nn.MultiheadAttention takes when it is not fused, sequence first.
Lowered lower_native_attention(const Call& call, Recorder& recorder) {
  if (!is_plain_self_attention(call, recorder)) return {};
  AttentionWriter write(recorder);
  const int64_t heads = call.integer("num_head");
  const Step x = write.permute(write.start(call.tensor("query")), {1, 0, 2});
  const int64_t length = x.shape[0], batch = x.shape[1], width = x.shape[2];
  const Step qkv = write.linear(x, call.tensor("qkv_weight"), call.tensor("qkv_bias"));
  const Step q = split_heads(write, write.part(qkv, 0, 3), heads);
  const Step k = split_heads(write, write.part(qkv, 1, 3), heads);
  const Step v = split_heads(write, write.part(qkv, 2, 3), heads);
  const double factor = 1 / std::sqrt(static_cast<double>(width / heads));
  const Attended attended = attend(write, write.scale(q, factor), k, v, std::nullopt);
  const Step merged = merge_heads(write, attended.output, batch);
  const Step projected = write.linear(merged, call.tensor("proj_weight"), call.tensor("proj_bias"));
  const Step y = write.permute(write.reshape(projected, {length, batch, width}), {1, 0, 2});
  if (call.results.size() == 1) return {y.value};
  const bool averaged = call.flag("average_attn_weights");
  return {y.value, weights_of(write, attended.weights, heads, averaged).value};
}

bool is_plain_product_attention(const Call& call) {
  const bool dropout = call.has("dropout_p") && call.number("dropout_p") != 0;
  const bool causal = call.has("is_causal") && call.flag("is_causal");
  const bool grouped = call.has("enable_gqa") && call.flag("enable_gqa");
  const bool bool_mask =
      call.has("attn_mask") && call.tensor("attn_mask").scalar_type() != at::kFloat;
  return !dropout && !causal && !grouped && !bool_mask && call.results.size() <= 2 &&
         call.tensor("query").dim() >= 3;
}

Lowered lower_product_attention(const Call& call, Recorder& recorder) {
  if (!is_plain_product_attention(call)) return {};
  AttentionWriter write(recorder);
  const Step q = write.start(call.tensor("query"));
  const Step k = write.start(call.tensor("key"));
  const Step v = write.start(call.tensor("value"));
  std::optional<ir::ValueId> mask;
  if (call.has("attn_mask")) mask = recorder.read(call.tensor("attn_mask"));
  const double factor =
      call.has("scale") ? call.number("scale") : 1 / std::sqrt(static_cast<double>(q.shape.back()));
  const Attended attended = attend(write, write.scale(q, factor), k, v, mask);
  if (call.results.size() == 1) return {attended.output.value};
  return {attended.output.value, attended.weights.value};
}

}  // namespace

void add_attention_lowerings(LoweringTable& table) {
  table["_native_multi_head_attention"] = lower_native_attention;
  table["scaled_dot_product_attention"] = lower_product_attention;
  table["_scaled_dot_product_attention"] = lower_product_attention;
}

}  // namespace ptq::import
