#include "support/plan_cases.h"

namespace ptq::testing {
namespace {

using Build = std::function<ir::ValueId(GraphBuilder&)>;

template <class Op>
Build unary(Op op) {
  return [op](GraphBuilder& b) { return b.add(op, {b.input()}); };
}

/// The operation on the output of a convolution that nobody else reads.
template <class Op>
Build after_conv(Op op) {
  return [op](GraphBuilder& b) { return b.add(op, {b.conv(b.input(), 8)}); };
}

/// Rows of 16 features: [N, 12, 16].
ir::ValueId tokens(GraphBuilder& b) {
  return b.add(ir::Reshape{{{1, true}, {12, false}, {16, false}}}, {b.input()});
}

template <class Op>
Build after_linear(Op op) {
  return [op](GraphBuilder& b) { return b.add(op, {b.linear(tokens(b), 24)}); };
}

template <class Op>
Build on_operands(Op op) {
  return [op](GraphBuilder& b) { return b.add(op, {b.conv(b.input(), 8), b.conv(b.input(), 8)}); };
}

void add_activations(std::vector<PlanCase>& cases) {
  const auto each = [&](const std::string& name, auto op) {
    cases.push_back({name, {3, 8, 8}, unary(op)});
    cases.push_back({name + "_after_conv", {3, 8, 8}, after_conv(op)});
    cases.push_back({name + "_after_linear", {3, 8, 8}, after_linear(op)});
  };
  each("relu", ir::Relu{});
  each("relu6", ir::Relu6{});
  each("sigmoid", ir::Sigmoid{});
  each("silu", ir::Silu{});
  each("hardswish", ir::Hardswish{});
  each("hardsigmoid", ir::Hardsigmoid{});
  each("gelu", ir::Gelu{false});
  each("gelu_tanh", ir::Gelu{true});
  each("leaky_relu", ir::LeakyRelu{0.2});
  each("add_scalar", ir::AddScalar{0.7});
  each("mul_scalar", ir::MulScalar{-1.3});
}

void add_convolutions(std::vector<PlanCase>& cases) {
  const auto conv = [&](const std::string& name, GraphBuilder::ConvOptions options,
                        int64_t in_channels, int64_t out_channels) {
    cases.push_back({name, {in_channels, 9, 9}, [=](GraphBuilder& b) {
                       return b.conv(b.input(), out_channels, options);
                     }});
  };
  conv("conv_3x3", {}, 3, 8);
  conv("conv_1x1", {1, 1, 0, 1, 1, true}, 16, 20);
  conv("conv_1x1_stride_2", {1, 2, 0, 1, 1, false}, 16, 20);
  conv("conv_strided_without_bias", {3, 2, 1, 1, 1, false}, 5, 7);
  conv("conv_depthwise", {3, 1, 1, 16, 1, true}, 16, 16);
  conv("conv_depthwise_5x5", {5, 2, 2, 16, 1, true}, 16, 16);
  conv("conv_grouped", {3, 1, 1, 4, 1, true}, 16, 32);
  conv("conv_dilated", {3, 1, 2, 1, 2, true}, 4, 6);
  cases.push_back({"conv_transpose", {4, 5, 5}, [](GraphBuilder& b) {
                     ir::ConvTranspose op;
                     op.stride = {2, 2}, op.padding = {1, 1}, op.output_padding = {1, 1};
                     op.dilation = {1, 1};
                     op.weight = b.weight({4, 6, 3, 3});
                     op.bias = b.weight({6});
                     return b.add(op, {b.input()});
                   }});
  cases.push_back({"conv_1d", {4, 9}, [](GraphBuilder& b) {
                     ir::Conv op;
                     op.stride = {1}, op.padding = {1}, op.dilation = {1};
                     op.weight = b.weight({6, 4, 3});
                     return b.add(op, {b.input()});
                   }});
}

void add_normalizations(std::vector<PlanCase>& cases) {
  cases.push_back(
      {"batch_norm", {6, 5, 5}, [](GraphBuilder& b) { return b.batch_norm(b.input()); }});
  cases.push_back({"conv_batch_norm_relu", {3, 8, 8}, [](GraphBuilder& b) {
                     return b.add(ir::Relu{}, {b.batch_norm(b.conv(b.input(), 8))});
                   }});
  cases.push_back({"relu_batch_norm_conv", {3, 8, 8}, [](GraphBuilder& b) {
                     return b.conv(b.batch_norm(b.add(ir::Relu{}, {b.input()})), 8);
                   }});
  cases.push_back({"layer_norm", {3, 8, 8}, [](GraphBuilder& b) {
                     ir::LayerNorm op;
                     op.normalized_shape = {16};
                     op.weight = b.weight({16}), op.bias = b.weight({16});
                     return b.add(op, {tokens(b)});
                   }});
  cases.push_back({"layer_norm_of_channels", {16, 4, 4}, [](GraphBuilder& b) {
                     ir::LayerNorm op;
                     op.normalized_shape = {16};
                     const auto last = b.add(ir::Permute{{0, 2, 3, 1}}, {b.conv(b.input(), 16)});
                     return b.add(ir::Permute{{0, 3, 1, 2}}, {b.linear(b.add(op, {last}), 12)});
                   }});
  cases.push_back({"softmax", {3, 8, 8}, after_linear(ir::Softmax{-1})});
  cases.push_back({"softmax_of_channels", {5, 4, 4}, unary(ir::Softmax{1})});
}

void add_arithmetic(std::vector<PlanCase>& cases) {
  cases.push_back({"add", {3, 8, 8}, on_operands(ir::Add{})});
  cases.push_back({"sub", {3, 8, 8}, on_operands(ir::Sub{})});
  cases.push_back({"mul", {3, 8, 8}, on_operands(ir::Mul{})});
  cases.push_back({"div", {3, 8, 8}, [](GraphBuilder& b) {
                     const auto below = b.add(ir::Sigmoid{}, {b.conv(b.input(), 8)});
                     return b.add(ir::Div{}, {b.conv(b.input(), 8), below});
                   }});
  cases.push_back({"sub_from_fused", {3, 8, 8}, [](GraphBuilder& b) {
                     const auto pooled = b.add(ir::AdaptiveAvgPool{{1, 1}}, {b.input()});
                     return b.add(ir::Sub{}, {pooled, b.conv(b.input(), 3)});
                   }});
  cases.push_back({"residual_relu", {4, 8, 8}, [](GraphBuilder& b) {
                     const auto branch = b.conv(b.add(ir::Relu{}, {b.conv(b.input(), 4)}), 4);
                     return b.add(ir::Relu{}, {b.add(ir::Add{}, {branch, b.input()})});
                   }});
  cases.push_back({"twice_itself", {4, 8, 8}, [](GraphBuilder& b) {
                     const auto x = b.conv(b.input(), 4);
                     return b.add(ir::Mul{}, {x, x});
                   }});
  cases.push_back(
      {"squeeze_excitation", {8, 6, 6}, [](GraphBuilder& b) {
         const auto x = b.add(ir::Silu{}, {b.conv(b.input(), 8)});
         const auto pooled = b.add(ir::AdaptiveAvgPool{{1, 1}}, {x});
         const auto gate = b.add(ir::Sigmoid{}, {b.conv(pooled, 8, {1, 1, 0, 1, 1, true})});
         return b.add(ir::Mul{}, {gate, x});
       }});
  cases.push_back({"layer_scale", {8, 6, 6}, [](GraphBuilder& b) {
                     const auto scale = b.constant(normals({8, 1, 1}, 1, 99));
                     return b.add(ir::Mul{}, {scale, b.conv(b.input(), 8)});
                   }});
  cases.push_back({"position_embedding", {3, 8, 8}, [](GraphBuilder& b) {
                     const auto position = b.constant(normals({1, 12, 24}, 1, 98));
                     return b.add(ir::Add{}, {b.linear(tokens(b), 24), position});
                   }});
}

void add_pools(std::vector<PlanCase>& cases) {
  cases.push_back(
      {"max_pool", {4, 9, 9}, unary(ir::MaxPool{{3, 3}, {2, 2}, {1, 1}, {1, 1}, false})});
  cases.push_back(
      {"max_pool_ceil", {4, 10, 10}, unary(ir::MaxPool{{3, 3}, {2, 2}, {0, 0}, {1, 1}, true})});
  cases.push_back(
      {"max_pool_dilated", {4, 9, 9}, unary(ir::MaxPool{{3, 3}, {1, 1}, {0, 0}, {2, 2}, false})});
  const auto average = [&](const std::string& name, bool ceil, bool counted,
                           std::optional<int64_t> divisor) {
    cases.push_back(
        {name, {4, 10, 10}, unary(ir::AvgPool{{3, 3}, {2, 2}, {1, 1}, ceil, counted, divisor})});
  };
  average("avg_pool", false, true, {});
  average("avg_pool_without_padding", false, false, {});
  average("avg_pool_ceil", true, true, {});
  average("avg_pool_divisor", false, true, 5);
  cases.push_back({"adaptive_avg_pool", {4, 9, 9}, unary(ir::AdaptiveAvgPool{{1, 1}})});
  cases.push_back({"adaptive_avg_pool_to_3", {4, 8, 8}, unary(ir::AdaptiveAvgPool{{3, 3}})});
  cases.push_back({"adaptive_avg_pool_same", {4, 6, 6}, after_conv(ir::AdaptiveAvgPool{{6, 6}})});
  cases.push_back({"mean_spatial", {4, 6, 6}, after_conv(ir::Mean{{2, 3}, false})});
  cases.push_back({"mean_spatial_kept", {4, 6, 6}, after_conv(ir::Mean{{-1, -2}, true})});
  cases.push_back({"mean_of_channels", {4, 6, 6}, unary(ir::Mean{{1}, true})});
  cases.push_back({"mean_of_tokens", {3, 8, 8}, after_linear(ir::Mean{{1}, false})});
  cases.push_back({"mean_of_features", {3, 8, 8}, after_linear(ir::Mean{{2}, true})});
  cases.push_back({"mean_of_a_row_and_channels", {4, 6, 7}, unary(ir::Mean{{1, 3}, false})});
  cases.push_back({"avg_pool_1d", {3, 8, 8}, [](GraphBuilder& b) {
                     return b.add(ir::AvgPool{{3}, {2}, {1}, false, true, {}}, {tokens(b)});
                   }});
  cases.push_back({"adaptive_avg_pool_1d", {3, 8, 8}, [](GraphBuilder& b) {
                     return b.add(ir::AdaptiveAvgPool{{5}}, {tokens(b)});
                   }});
}

void add_shapes(std::vector<PlanCase>& cases) {
  cases.push_back({"concat", {4, 6, 6}, [](GraphBuilder& b) {
                     const auto x = b.conv(b.input(), 4), y = b.conv(b.input(), 12);
                     return b.add(ir::Relu{}, {b.add(ir::Concat{1}, {x, y, b.input()})});
                   }});
  cases.push_back({"concat_rows", {3, 8, 8}, [](GraphBuilder& b) {
                     const auto x = tokens(b);
                     return b.add(ir::Concat{-1}, {x, b.linear(x, 7)});
                   }});
  cases.push_back(
      {"channel_shuffle", {8, 6, 6}, [](GraphBuilder& b) {
         const auto x = b.conv(b.input(), 8);
         const ir::Dims split{{1, true}, {2, false}, {4, false}, {6, false}, {6, false}};
         const ir::Dims merged{{1, true}, {8, false}, {6, false}, {6, false}};
         const auto five = b.add(ir::Reshape{split}, {x});
         const auto turned = b.add(ir::Permute{{0, 2, 1, 3, 4}}, {five});
         return b.conv(b.add(ir::Reshape{merged}, {turned}), 4);
       }});
  cases.push_back({"slice_of_channels", {8, 6, 6}, [](GraphBuilder& b) {
                     const auto x = b.conv(b.input(), 8);
                     const auto low = b.add(ir::Slice{1, {0, false}, {4, false}, 1}, {x});
                     const auto high = b.add(ir::Slice{1, {4, false}, {8, false}, 1}, {x});
                     return b.add(ir::Concat{1}, {b.conv(high, 4), low});
                   }});
  cases.push_back({"select_token", {3, 8, 8}, [](GraphBuilder& b) {
                     return b.linear(b.add(ir::Select{1, {0, false}}, {tokens(b)}), 5);
                   }});
  cases.push_back({"class_token", {3, 8, 8}, [](GraphBuilder& b) {
                     const auto token = b.constant(normals({1, 1, 16}, 1, 97));
                     const ir::Dims sizes{{1, true}, {1, false}, {16, false}};
                     return b.add(ir::Concat{1}, {b.add(ir::Expand{sizes}, {token}), tokens(b)});
                   }});
  cases.push_back({"flatten_of_image", {4, 6, 6}, [](GraphBuilder& b) {
                     return b.linear(b.flatten(b.conv(b.input(), 4)), 10);
                   }});
}

/// Operators that nobody lowered.
void add_opaque(std::vector<PlanCase>& cases) {
  cases.push_back({"padding", {4, 6, 6}, [](GraphBuilder& b) {
                     ir::Opaque pad{"aten::constant_pad_nd", "", {}, 0};
                     const ir::Dims pads{{2, false}, {-1, false}, {0, false}, {3, false}};
                     pad.arguments = {ir::InputRef{0}, pads, 0.0};
                     return b.add(ir::Relu{}, {b.add(pad, {b.conv(b.input(), 4)})});
                   }});
  cases.push_back({"opaque_roll", {4, 6, 6}, [](GraphBuilder& b) {
                     ir::Opaque roll{"aten::roll", "", {}, 0};
                     roll.arguments = {ir::InputRef{0}, ir::Dims{{1, false}}, ir::Dims{{2, false}}};
                     return b.add(ir::Relu{}, {b.add(roll, {b.conv(b.input(), 4)})});
                   }});
  for (const char* schema : {"aten::sum", "aten::amax", "aten::amin"}) {
    cases.push_back(
        {std::string("opaque_") + (schema + 6), {4, 6, 6}, [schema](GraphBuilder& b) {
           ir::Opaque reduce{schema, "", {}, 0};
           reduce.arguments = {ir::InputRef{0}, ir::Dims{{-1, false}, {2, false}}, true};
           if (reduce.schema == "aten::sum") {
             reduce.overload = "dim_IntList";
             reduce.arguments.emplace_back();
           }
           const auto x = b.conv(b.input(), 4);
           return b.add(ir::Mul{}, {x, b.add(reduce, {x})});
         }});
  }
  cases.push_back({"opaque_upsampling_of_a_negative", {4, 6, 6}, [](GraphBuilder& b) {
                     ir::Opaque upsample{"aten::upsample_nearest2d", "vec", {}, 0};
                     upsample.arguments = {ir::InputRef{0}, ir::Dims{{12, false}, {18, false}}, {}};
                     const ir::Opaque neg{"aten::neg", "", {ir::InputRef{0}}, 0};
                     return b.conv(b.add(upsample, {b.add(neg, {b.conv(b.input(), 4)})}), 4);
                   }});
}

/// Attention over [12 tokens, N * heads, 8] as nn.MultiheadAttention spells it.
ir::ValueId attention(GraphBuilder& b) {
  const auto sequence = b.add(ir::Permute{{1, 0, 2}}, {tokens(b)});
  const ir::Dims heads{{12, false}, {2, true}, {8, false}};
  const auto head = [&](const ir::Ints& order) {
    const auto split = b.add(ir::Reshape{heads}, {b.linear(sequence, 16)});
    return b.add(ir::Permute{order}, {split});
  };
  const auto query = b.add(ir::MulScalar{0.35}, {head({1, 0, 2})});
  const auto scores = b.add(ir::MatMul{}, {query, head({1, 2, 0})});
  const auto mixed = b.add(ir::MatMul{}, {b.add(ir::Softmax{-1}, {scores}), head({1, 0, 2})});
  const ir::Dims merged{{12, false}, {1, true}, {16, false}};
  const auto rows = b.add(ir::Permute{{1, 0, 2}}, {mixed});
  return b.add(ir::Permute{{1, 0, 2}}, {b.linear(b.add(ir::Reshape{merged}, {rows}), 16)});
}

void add_attention(std::vector<PlanCase>& cases) {
  cases.push_back({"attention", {3, 8, 8}, attention});
  cases.push_back({"matmul_4d", {3, 8, 8}, [](GraphBuilder& b) {
                     const ir::Dims four{{1, true}, {12, false}, {2, false}, {8, false}};
                     const auto split = b.add(ir::Reshape{four}, {b.linear(tokens(b), 16)});
                     const auto left = b.add(ir::Permute{{0, 2, 1, 3}}, {split});
                     const auto right = b.add(ir::Permute{{0, 2, 3, 1}}, {split});
                     return b.add(ir::MatMul{}, {left, right});
                   }});
  cases.push_back({"matmul_broadcast", {3, 8, 8}, [](GraphBuilder& b) {
                     const auto factor = b.constant(normals({16, 9}, 1, 96));
                     return b.add(ir::MatMul{}, {tokens(b), factor});
                   }});
}

}  // namespace

std::vector<PlanCase> plan_cases() {
  std::vector<PlanCase> cases;
  add_activations(cases);
  add_convolutions(cases);
  add_normalizations(cases);
  add_arithmetic(cases);
  add_pools(cases);
  add_shapes(cases);
  add_opaque(cases);
  add_attention(cases);
  return cases;
}

}  // namespace ptq::testing
