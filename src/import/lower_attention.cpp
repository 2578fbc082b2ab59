#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>

#include "import/lowerings.h"
#include "import/step_writer.h"

namespace ptq::import {
namespace {

using Step = StepWriter::Step;

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
Attended attend(StepWriter& write, const Step& q, const Step& k, const Step& v,
                const std::optional<Step>& mask) {
  Step scores = write.matmul(q, write.permute(k, last_two_swapped(k.shape.size())));
  if (mask) scores = write.add(scores, *mask);
  const Step weights = write.softmax(scores);
  return {write.matmul(weights, v), weights};
}

/// Heads as LibTorch lays them out in front: [L, B, E] -> [B heads, L, E / heads].
Step split_heads(StepWriter& write, const Step& x, int64_t heads) {
  const int64_t length = x.shape[0], batch = x.shape[1], width = x.shape[2];
  return write.permute(write.reshape(x, {length, batch * heads, width / heads}), {1, 0, 2});
}

Step merge_heads(StepWriter& write, const Step& x, int64_t batch) {
  const int64_t length = x.shape[1], width = x.shape[0] * x.shape[2] / batch;
  return write.reshape(write.permute(x, {1, 0, 2}), {length * batch, width});
}

/// What the caller may ask for beside the output: [B heads, L, L] -> [B, heads, L, L], or their
/// mean. Nodes that nobody reads are removed after the walk.
Step weights_of(StepWriter& write, const Step& weights, int64_t heads, bool averaged) {
  const int64_t batch = weights.shape[0] / heads, length = weights.shape[1];
  const Step apart = write.reshape(weights, {batch, heads, length, length});
  return averaged ? write.mean_over(apart, 1) : apart;
}

bool is_plain_self_attention(const Call& call, const Recorder& recorder) {
  const at::Tensor query = call.tensor("query");
  return query.is_same(call.tensor("key")) && query.is_same(call.tensor("value")) &&
         query.dim() == 3 && !call.has("mask") && call.results.size() <= 2 &&
         !recorder.follows(call.tensor("qkv_weight"));
}

/// Output [B, L, E] and weights [B heads, L, L] of what nn.MultiheadAttention does where it is not
/// fused, sequence first. The call names its tensors as _native_multi_head_attention does.
Attended self_attention(StepWriter& write, const Step& images_first, const Call& call,
                        int64_t heads) {
  const Step x = write.permute(images_first, {1, 0, 2});
  const int64_t length = x.shape[0], batch = x.shape[1], width = x.shape[2];
  const Step qkv = write.linear(x, call.tensor("qkv_weight"), call.tensor("qkv_bias"));
  const Step q = split_heads(write, write.part(qkv, 0, 3), heads);
  const Step k = split_heads(write, write.part(qkv, 1, 3), heads);
  const Step v = split_heads(write, write.part(qkv, 2, 3), heads);
  const int64_t head_width = width / heads;
  const double factor = 1 / std::sqrt(static_cast<double>(head_width));
  const Attended attended = attend(write, write.scale(q, factor), k, v, std::nullopt);
  const Step merged = merge_heads(write, attended.output, batch);
  const Step projected = write.linear(merged, call.tensor("proj_weight"), call.tensor("proj_bias"));
  return {write.permute(write.reshape(projected, {length, batch, width}), {1, 0, 2}),
          attended.weights};
}

Lowered lower_native_attention(const Call& call, Recorder& recorder) {
  if (!is_plain_self_attention(call, recorder)) return {};
  StepWriter write(recorder);
  const int64_t heads = call.integer("num_head");
  const Attended attended = self_attention(write, write.start(call.tensor("query")), call, heads);
  if (call.results.size() == 1) return {attended.output.value};
  const bool averaged = call.flag("average_attn_weights");
  return {attended.output.value, weights_of(write, attended.weights, heads, averaged).value};
}

/// nn.TransformerEncoderLayer as a trace under no_grad has it: one operator.
Lowered lower_encoder_layer(const Call& call, Recorder& recorder) {
  const at::Tensor source = call.tensor("src");
  if (source.dim() != 3 || call.has("mask") || !recorder.follows(source)) return {};
  StepWriter write(recorder);
  const bool norm_first = call.flag("norm_first");
  const auto norm = [&](const Step& x, const char* weight, const char* bias) {
    return write.layer_norm(x, call.tensor(weight), call.tensor(bias), call.number("eps"));
  };
  Step x = write.start(source);
  const Step attended_to = norm_first ? norm(x, "norm_weight_1", "norm_bias_1") : x;
  x = write.add(x, self_attention(write, attended_to, call, call.integer("num_heads")).output);
  if (!norm_first) x = norm(x, "norm_weight_1", "norm_bias_1");
  const Step fed = norm_first ? norm(x, "norm_weight_2", "norm_bias_2") : x;
  const Step wide = write.linear(fed, call.tensor("ffn_weight_1"), call.tensor("ffn_bias_1"));
  const Step active = call.flag("use_gelu") ? write.gelu(wide) : write.relu(wide);
  x = write.add(x, write.linear(active, call.tensor("ffn_weight_2"), call.tensor("ffn_bias_2")));
  if (!norm_first) x = norm(x, "norm_weight_2", "norm_bias_2");
  return {x.value};
}

bool is_plain_product_attention(const Call& call, const Recorder& recorder) {
  const bool grouped = call.has("enable_gqa") && call.flag("enable_gqa");
  const at::Tensor mask = call.optional_tensor("attn_mask");
  const bool mask_of_pixels =
      mask.defined() && mask.scalar_type() != at::kFloat && recorder.follows(mask);
  return !grouped && !mask_of_pixels && call.results.size() <= 2 && call.tensor("query").dim() >= 3;
}

/// 0 where `kept`, minus infinity elsewhere.
at::Tensor additive_mask(const at::Tensor& kept) {
  const double nothing = -std::numeric_limits<double>::infinity();
  return at::zeros(kept.sizes()).masked_fill(kept.logical_not(), nothing);
}

/// What is added to the scores; undefined for nothing.
at::Tensor mask_of(const Call& call) {
  if (call.has("is_causal") && call.flag("is_causal")) {
    const int64_t queries = call.tensor("query").size(-2), keys = call.tensor("key").size(-2);
    return additive_mask(at::ones({queries, keys}, at::kBool).tril());
  }
  const at::Tensor mask = call.optional_tensor("attn_mask");
  return !mask.defined() || mask.scalar_type() == at::kFloat ? mask : additive_mask(mask);
}

Lowered lower_product_attention(const Call& call, Recorder& recorder) {
  if (!is_plain_product_attention(call, recorder)) return {};
  StepWriter write(recorder);
  const Step q = write.start(call.tensor("query"));
  const Step k = write.start(call.tensor("key"));
  const Step v = write.start(call.tensor("value"));
  const at::Tensor given = mask_of(call);
  std::optional<Step> mask;
  if (given.defined()) mask = write.start(given);
  const double factor =
      call.has("scale") ? call.number("scale") : 1 / std::sqrt(static_cast<double>(q.shape.back()));
  const Attended attended = attend(write, write.scale(q, factor), k, v, mask);
  if (call.results.size() == 1) return {attended.output.value};
  return {attended.output.value, attended.weights.value};
}

}  // namespace

void add_attention_lowerings(LoweringTable& table) {
  table["_native_multi_head_attention"] = lower_native_attention;
  table["_transformer_encoder_layer_fwd"] = lower_encoder_layer;
  table["scaled_dot_product_attention"] = lower_product_attention;
  table["_scaled_dot_product_attention"] = lower_product_attention;
}

}  // namespace ptq::import
