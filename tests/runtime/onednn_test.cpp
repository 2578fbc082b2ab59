#include "runtime/onednn/onednn.h"

#include <ATen/ops/empty_strided.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "base/threads.h"
#include "support/graph_builder.h"

namespace ptq::runtime::onednn {
namespace {

using ptq::testing::normals;

at::Tensor empty(const Layout& layout) { return at::empty_strided(layout.sizes, layout.strides); }

at::Tensor run(const Kernel& kernel, const at::Tensor& first, const Layout& out) {
  const at::Tensor result = empty(out);
  const at::Tensor scratch = at::zeros({kernel.scratch_bytes() / 4 + 16});
  kernel.bind(first, {}, result, scratch.data_ptr())();
  return result;
}

/// `tail` over `x` by our own kernels, which call quant::fake_quantize.
at::Tensor apply_plainly(const Tail& tail, const at::Tensor& x) {
  const at::Tensor result = x.clone();
  bind_tail(tail, {result}, {}, result)();
  return result;
}

TailOp fake_quantize(float scale, float zero_point, float quant_min, float quant_max) {
  TailOp op;
  op.kind = TailKind::kFakeQuantize;
  op.params = quant::QParams{scale, zero_point, quant_min, quant_max};
  return op;
}

TailOp plain(TailKind kind) {
  TailOp op;
  op.kind = kind;
  return op;
}

TailOp with_constant(TailKind kind, const at::Tensor& constant) {
  TailOp op = plain(kind);
  op.constant = constant;
  return op;
}

/// Chains that a quantized layer has behind it. Activations whose value is not exact are left out:
/// these chains have to be equal bit by bit.
std::vector<Tail> exact_tails(int64_t channels) {
  const TailOp relu = plain(TailKind::kRelu), relu6 = plain(TailKind::kRelu6);
  const TailOp fine = fake_quantize(0.05371F, 0, -128, 127);
  const TailOp unsigned_codes = fake_quantize(0.01937F, 0, 0, 255);
  const TailOp asymmetric = fake_quantize(0.0719F, 37, 0, 255);
  const at::Tensor by_channel = normals({channels, 1, 1}, 1, 4);
  return {
      {fine},
      {relu, unsigned_codes},
      {relu6, unsigned_codes},
      {fine, relu, unsigned_codes},
      {fine, fake_quantize(0.3F, 0, -8, 7)},
      {asymmetric},
      {fine, relu6, asymmetric},
      {with_constant(TailKind::kMul, by_channel), with_constant(TailKind::kAdd, by_channel), relu,
       unsigned_codes},
  };
}

struct ConvShape {
  int64_t in, out, kernel, stride, groups;
};

/// The kernels behind convolution differ by shape: 1x1, depthwise, grouped, image input.
const ConvShape kConvShapes[] = {{64, 64, 3, 1, 1},  {64, 96, 1, 1, 1},  {64, 128, 1, 2, 1},
                                 {96, 96, 3, 1, 96}, {30, 30, 5, 1, 30}, {3, 32, 3, 2, 1},
                                 {32, 64, 3, 1, 4},  {20, 30, 3, 1, 1}};

TEST(OneDnnConvolution, CarriesTailsBitByBit) {
  set_intra_op_threads(1);
  for (const ConvShape& s : kConvShapes) {
    const int64_t pad = s.kernel / 2, size = 15,
                  out_size = (size + 2 * pad - s.kernel) / s.stride + 1;
    const Layout in = channels_last({1, s.in, size, size});
    const Layout out = channels_last({1, s.out, out_size, out_size});
    const Window window{{}, {s.stride, s.stride}, {pad, pad}, {pad, pad}, {1, 1}};
    const at::Tensor x = empty(in).copy_(normals(in.sizes, 1, 1));
    const at::Tensor weight = normals({s.out, s.in / s.groups, s.kernel, s.kernel}, 0.2F, 2);
    const at::Tensor bias = normals({s.out}, 0.2F, 3);
    const Kernel bare = convolution(in, out, weight, bias, window, s.groups, {});
    const at::Tensor unfused = run(bare, x, out);
    for (const Tail& tail : exact_tails(s.out)) {
      const Kernel fused = convolution(in, out, weight, bias, window, s.groups, tail);
      EXPECT_EQ(fused.tail_carried(), tail.size());
      EXPECT_EQ(fused.implementation(), bare.implementation());
      EXPECT_EQ(fused.implementation().find("ref"), std::string::npos) << fused.implementation();
      EXPECT_TRUE(at::equal(run(fused, x, out), apply_plainly(tail, unfused)))
          << s.in << " to " << s.out << " channels, kernel " << s.kernel << ", "
          << fused.implementation();
    }
  }
}

TEST(OneDnnLinear, CarriesTailsBitByBit) {
  set_intra_op_threads(1);
  const at::Tensor x = normals({197, 192}, 1, 1);
  const at::Tensor weight = normals({96, 192}, 0.2F, 2), bias = normals({96}, 0.2F, 3);
  const Layout out = row_major({197, 96});
  const at::Tensor unfused = run(linear(197, weight, bias, {}), x, out);
  for (Tail tail : exact_tails(96)) {
    for (TailOp& op : tail) {
      if (op.constant.defined()) op.constant = op.constant.flatten();
    }
    const Kernel fused = linear(197, weight, bias, tail);
    EXPECT_EQ(fused.tail_carried(), tail.size());
    EXPECT_EQ(fused.implementation().find("ref"), std::string::npos) << fused.implementation();
    EXPECT_TRUE(at::equal(run(fused, x, out), apply_plainly(tail, unfused)));
  }
}

/// Values at the exact middle between two codes go to the even one, also where 1 / scale is not
/// exact and a multiplication would miss the tie.
TEST(OneDnnConvolution, RoundsTiesToEven) {
  set_intra_op_threads(1);
  const float scale = 0.1F;
  const int64_t count = 64;
  const Layout image = channels_last({1, 1, 1, count});
  at::Tensor x = empty(image);
  for (int64_t i = 0; i < count; ++i) {
    x.data_ptr<float>()[i] = (static_cast<float>(i) - 31.5F) * scale;
  }
  const Window window{{}, {1, 1}, {0, 0}, {0, 0}, {1, 1}};
  const Tail tail{fake_quantize(scale, 0, -128, 127)};
  const Kernel kernel = convolution(image, image, at::full({1, 1, 1, 1}, 1.0), {}, window, 1, tail);
  EXPECT_TRUE(at::equal(run(kernel, x, image), apply_plainly(tail, x)));
}

TEST(OneDnnTail, LeavesOperandsThatAreActivationsToTheCaller) {
  TailOp residual = plain(TailKind::kAdd);
  residual.input = 1;
  const Tail tail{fake_quantize(0.1F, 0, -128, 127), residual, plain(TailKind::kRelu)};
  const Kernel kernel = linear(4, normals({8, 8}, 1, 1), {}, tail);
  EXPECT_EQ(kernel.tail_carried(), 1U);
}

}  // namespace
}  // namespace ptq::runtime::onednn
