#include "integer_plan.h"

#include "ptq/base/error.h"

// A plan on integers against the definition, bit for bit. The suite also runs with PTQ_MAX_CPU_ISA
// set (CMakeLists.txt), so that every kernel is held to the same numbers.
namespace ptq::runtime {
namespace {

TEST_F(IntegerPlan, ConvolutionsOfEveryShape) {
  auto x = builder_.fake_quantize(conv(input(), 40, {3, 2, 1, 1, 1, true}), 0.04);
  x = builder_.add(ir::Relu{}, {conv(x, 72, {1, 1, 0, 1, 1, false})});
  x = builder_.fake_quantize(x, 0.021, false);
  x = builder_.fake_quantize(conv(x, 72, {3, 1, 2, 1, 2, true}), 0.3);
  x = builder_.fake_quantize(conv(x, 72, {3, 1, 1, 8, 1, true}), 0.6);
  x = builder_.fake_quantize(conv(x, 144, {3, 1, 1, 72, 1, true}), 0.6);
  expect_oracle(builder_.fake_quantize(conv(x, 19, {5, 1, 2, 1, 1, true}), 2.1));
}

/// Inputs that no cache holds whole: blocks of lines, of windows and of pixels.
TEST_F(IntegerPlan, ImagesOfManyBlocks) {
  builder_ = GraphBuilder{{3, 75, 91}};
  auto x = asymmetric(conv(input(), 40, {7, 2, 3, 1, 1, true}), 0.07, 117);
  x = builder_.fake_quantize(conv(x, 40, {3, 1, 1, 1, 1, true}, {8, true, true}), 0.5);
  x = builder_.fake_quantize(conv(x, 36, {3, 1, 0, 2, 1, false}), 0.6);
  x = builder_.fake_quantize(conv(x, 70, {1, 1, 0, 1, 1, true}), 0.5);
  x = builder_.fake_quantize(conv(x, 24, {3, 1, 2, 1, 2, true}), 1.4);
  expect_oracle(builder_.fake_quantize(conv(x, 9, {3, 3, 1, 1, 1, true}), 2.1));
}

TEST_F(IntegerPlan, DepthwiseConvolutionsOfEveryShape) {
  auto x = asymmetric(conv(input(), 40), 0.05, 117);
  x = builder_.add(ir::Relu6{}, {conv(x, 40, {3, 1, 1, 40, 1, true})});
  x = builder_.fake_quantize(x, 0.023, false);
  x = builder_.fake_quantize(conv(x, 40, {5, 2, 2, 40, 1, true}, {8, true}), 0.03);
  x = builder_.fake_quantize(conv(x, 40, {3, 1, 2, 40, 2, false}, {8, true, true}), 0.05);
  expect_oracle(builder_.fake_quantize(conv(x, 40, {7, 1, 3, 40, 1, true}), 0.02));
}

TEST_F(IntegerPlan, WeightsOfEveryFormat) {
  auto x = asymmetric(builder_.input(), 0.02, 131);
  int bias_bits = 32;
  for (const WeightFormat format : {WeightFormat{8, true},
                                    {8, false, true},
                                    {8, true, true},
                                    {4, true},
                                    {2},
                                    {5, false, false, true},
                                    {4, true, true}}) {
    x = asymmetric(conv(x, 24, {3, 1, 1, 1, 1, true}, format, bias_bits), 0.11, 101);
    bias_bits = bias_bits == 32 ? 16 : bias_bits == 16 ? 0 : 32;
  }
  expect_oracle(asymmetric(conv(x, 9, {3, 1, 1, 3, 1, true}, {8, true, true}, 0), 0.1, 99));
}

/// Scales that are powers of two make exact ties, of which an odd zero point turns half over.
TEST_F(IntegerPlan, TiesBesideAZeroPoint) {
  const auto x = conv(input(0.03125), 24);
  const ir::QuantizerId weight = ir::weighted(maker(x).op)->weight_quantizer;
  builder_.table.scale_of(weight).value = at::full({}, 0.0078125, at::kFloat);
  expect_oracle(builder_.fake_quantize(conv(asymmetric(x, 0.0625, 101), 8), 0.5));
}

/// As equalization leaves ReLU6: a ceiling a channel, some below 0 and some out of reach.
TEST_F(IntegerPlan, CeilingsByChannel) {
  auto x = input();
  for (const int64_t channels : {70, 24}) {
    for (const bool is_signed : {false, true}) {
      ir::Relu6 relu;
      relu.ceiling = ir::Parameter{"ceiling", normals({channels, 1, 1}, 3, 5).add(1)};
      x = builder_.fake_quantize(builder_.add(relu, {conv(x, channels)}), 0.03, is_signed);
    }
    x = builder_.fake_quantize(x, 0.045);
  }
  const ir::Relu6 one{{}, ir::Parameter{"ceiling", at::full({1}, 0.8, at::kFloat)}};
  expect_oracle(builder_.fake_quantize(builder_.add(one, {conv(x, 10)}), 0.03));
}

TEST_F(IntegerPlan, ResidualAddsOfCodesAndOfFloats) {
  const auto x = builder_.fake_quantize(conv(input(), 24), 0.04);
  const auto a = builder_.fake_quantize(conv(x, 24), 0.07);
  auto sum = builder_.add(ir::Relu{}, {builder_.add(ir::Add{}, {a, x})});
  sum = builder_.fake_quantize(sum, 0.043, false);
  const auto wide = builder_.fake_quantize(conv(sum, 24), 0.0007, true, 16);
  sum = builder_.fake_quantize(builder_.add(ir::Add{}, {conv(sum, 24), wide}), 0.09);
  expect_oracle(builder_.fake_quantize(conv(sum, 10), 0.1));
}

TEST_F(IntegerPlan, PoolsConcatsAndSlices) {
  const auto x = builder_.fake_quantize(conv(input(), 24), 0.04);
  const auto large = builder_.add(ir::MaxPool{{3, 3}, {2, 2}, {1, 1}, {1, 1}, false}, {x});
  const auto shared = builder_.activation_quantizer(0.05);
  const auto left = builder_.fake_quantize_with(conv(large, 16), shared);
  const auto right = builder_.fake_quantize_with(conv(large, 8, {1, 1, 0, 1, 1, true}), shared);
  const auto both = builder_.add(ir::Concat{1}, {left, right});
  const auto part = builder_.add(ir::Slice{1, {5, false}, {17, false}, 1}, {both});
  auto y = builder_.fake_quantize(conv(part, 12), 0.1);
  y = builder_.fake_quantize(builder_.add(ir::AdaptiveAvgPool{{1, 1}}, {y}), 0.013);
  expect_oracle(
      builder_.fake_quantize(quantize_layer(builder_.linear(builder_.flatten(y), 10)), 0.01));
}

TEST_F(IntegerPlan, BatchNormAndMeansOfAnySize) {
  auto x = builder_.batch_norm(builder_.fake_quantize(conv(input(), 24), 0.04));
  x = builder_.fake_quantize(builder_.add(ir::Relu{}, {x}), 0.02, false);
  x = builder_.add(ir::AdaptiveAvgPool{{5, 3}}, {x});
  x = builder_.batch_norm(conv(builder_.fake_quantize(x, 0.02, false), 17));
  x = builder_.fake_quantize(x, 0.05);
  x = builder_.fake_quantize(builder_.add(ir::AdaptiveAvgPool{{7, 4}}, {x}), 0.04);
  expect_oracle(builder_.fake_quantize(conv(x, 10), 0.1));
}

TEST_F(IntegerPlan, ZerosAroundCodes) {
  const ir::Dims pads{{2, false}, {-1, false}, {0, false}, {3, false}};
  const ir::Opaque pad{"aten::constant_pad_nd", "", {ir::InputRef{0}, pads, 0.0}, 0};
  const auto x = builder_.add(pad, {asymmetric(conv(input(), 24), 0.04, 117)});
  const auto y = builder_.add(pad, {builder_.fake_quantize(conv(x, 12), 0.1)});
  expect_oracle(builder_.fake_quantize(conv(y, 10), 0.1));
}

/// Floats have one order of sums, and codes none.
TEST_F(IntegerPlan, MeansOfFloatsAndOfCodes) {
  const auto quantized = builder_.fake_quantize(conv(input(), 90), 0.04);
  std::vector<ir::ValueId> means;
  for (const ir::ValueId x : {builder_.add(ir::Silu{}, {quantized}), quantized}) {
    means.push_back(builder_.add(ir::Mean{{2, 3}, false}, {x}));
    const auto pooled = builder_.add(ir::AvgPool{{3, 2}, {2, 2}, {1, 0}, true, true, {}}, {x});
    const auto windows = builder_.add(ir::AvgPool{{2, 3}, {}, {1, 1}, false, false, {}}, {pooled});
    means.push_back(builder_.add(ir::AdaptiveAvgPool{{3, 2}}, {windows}));
    const auto rows = builder_.add(ir::Mean{{3}, false}, {x});
    means.push_back(builder_.add(ir::AvgPool{{3}, {2}, {1}, false, true, 5}, {rows}));
    means.push_back(builder_.add(ir::AdaptiveAvgPool{{4}}, {rows}));
  }
  const auto shared = builder_.activation_quantizer(0.002);
  for (ir::ValueId& x : means) x = builder_.fake_quantize_with(builder_.flatten(x), shared);
  const auto logits = quantize_layer(builder_.linear(builder_.add(ir::Concat{1}, means), 10));
  expect_oracle(builder_.fake_quantize(logits, 0.01));
}

TEST_F(IntegerPlan, AttentionProducts) {
  const ir::Dims heads{{1, true}, {26, false}, {3, false}, {11, false}};
  const auto rows = builder_.add(ir::Reshape{{{1, true}, {26, false}, {33, false}}}, {input()});
  const auto projected = [&](double scale) {
    const auto linear = quantize_layer(builder_.linear(rows, 33), {8, true});
    const auto split = builder_.add(ir::Reshape{heads}, {asymmetric(linear, scale, 120)});
    return builder_.add(ir::Permute{{0, 2, 1, 3}}, {split});
  };
  const auto q = projected(0.04), k = projected(0.05), v = projected(0.06);
  const auto turned = builder_.add(ir::Permute{{0, 1, 3, 2}}, {k});
  const auto scores = asymmetric(builder_.add(ir::MatMul{}, {q, turned}), 0.3, 140);
  auto out = builder_.add(ir::Permute{{0, 2, 1, 3}}, {builder_.add(ir::MatMul{}, {scores, v})});
  out = builder_.add(ir::Reshape{{{1, true}, {26, false}, {33, false}}}, {out});
  out = builder_.fake_quantize(out, 5);
  expect_oracle(builder_.fake_quantize(quantize_layer(builder_.linear(out, 7)), 1.5));
}

/// What stays float between codes: one order of sums, and the same operations, everywhere.
TEST_F(IntegerPlan, SoftmaxLayerNormAndActivations) {
  const ir::Dims tokens{{1, true}, {26, false}, {33, false}};
  auto x = builder_.add(ir::Reshape{tokens}, {input()});
  for (const int64_t width : {5, 48, 67}) {
    ir::LayerNorm norm;
    norm.normalized_shape = {width};
    norm.weight = builder_.weight({width});
    if (width != 48) norm.bias = builder_.weight({width});
    x = builder_.add(norm, {quantize_layer(builder_.linear(x, width), {8, true})});
    x = quantize_layer(builder_.linear(asymmetric(x, 0.03, 120), width));
    x = asymmetric(builder_.add(ir::Gelu{}, {x}), 0.02, 40);
    x = builder_.add(ir::Softmax{-1}, {quantize_layer(builder_.linear(x, width))});
    x = builder_.fake_quantize(x, 1.0 / 255, false);
    x = builder_.add(ir::Silu{}, {quantize_layer(builder_.linear(x, width))});
    x = builder_.add(ir::Sigmoid{}, {asymmetric(x, 0.01, 30)});
    x = builder_.fake_quantize(x, 1.0 / 255, false);
  }
  x = quantize_layer(builder_.linear(x, 40));
  expect_oracle(builder_.add(ir::Softmax{-1}, {builder_.add(ir::MulScalar{3}, {x})}));
}

TEST_F(IntegerPlan, TransposedConvolutions) {
  auto x = asymmetric(conv(input(), 12), 0.05, 90);
  for (const int64_t groups : {1, 3}) {
    ir::ConvTranspose op;
    op.stride = {2, 1}, op.padding = {1, 1}, op.output_padding = {1, 0}, op.dilation = {1, 1};
    op.groups = groups;
    op.weight = builder_.weight({12, 12 / groups, 3, 3});
    op.bias = builder_.weight({12});
    x = asymmetric(quantize_layer(builder_.add(op, {x})), 0.08, 90);
  }
  expect_oracle(x);
}

TEST_F(IntegerPlan, OneDimension) {
  builder_ = GraphBuilder({5, 29});
  ir::Conv op;
  op.stride = {2}, op.padding = {2}, op.dilation = {1};
  op.weight = builder_.weight({14, 5, 5}), op.bias = builder_.weight({14});
  expect_oracle(builder_.fake_quantize(quantize_layer(builder_.add(op, {input()})), 0.05));
}

/// Every product as large as it can be: kernels that add in 16 bits would saturate.
TEST_F(IntegerPlan, SaturatedCodes) {
  for (const bool negative : {false, true}) {
    builder_ = GraphBuilder({68, 7, 7});
    auto x = builder_.fake_quantize(builder_.input(), 1e-4, false);
    for (const int64_t groups : {1, 68, 4}) {
      const auto y = conv(x, 68, {3, 1, 1, groups, 1, false});
      ir::Parameter& weight = ir::weighted(maker(y).op)->weight;
      weight.value = at::full(weight.value.sizes(), negative ? -9.0 : 9.0, at::kFloat);
      x = builder_.add(ir::AddScalar{negative ? 9e9 : 0.0}, {y});
      x = builder_.fake_quantize(x, 1e-3, false);
    }
    expect_oracle(conv(x, 5, {1, 1, 0, 1, 1, false}), 100);
  }
}

TEST_F(IntegerPlan, NamesWhatIsNoNumber) {
  const ir::Graph graph = builder_.finish(conv(input(), 8));
  const at::Tensor images = normals(ir::at_batch(graph.values[0].shape, 1), 1, 5);
  images.view(-1)[7] = std::nanf("");
  ExecutorOptions options;
  options.arithmetic = Arithmetic::kInteger;
  try {
    make_plan(builder_, options, 1)->run(images);
    FAIL() << "not refused";
  } catch (const QuantizationError& error) {
    EXPECT_EQ(error.what(),
              graph.nodes.front().name + ": a value to be quantized is not a number (NaN)");
  }
}

}  // namespace
}  // namespace ptq::runtime
