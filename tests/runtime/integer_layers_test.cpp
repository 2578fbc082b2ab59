#include "runtime/integer_layers.h"

#include <gtest/gtest.h>

#include "support/graph_builder.h"

namespace ptq::runtime {
namespace {

using testing::GraphBuilder;

TEST(LayerArithmetic, SaysWhyALayerRunsOnFloats) {
  GraphBuilder builder;
  const auto reason = [&](ir::ValueId output) {
    builder.finish(output);
    return layer_arithmetic(builder).back().reason;
  };
  EXPECT_EQ(reason(builder.conv(builder.input(), 4)), "its input is not quantized");
  const auto in = builder.fake_quantize(builder.input(), 0.1);
  EXPECT_EQ(reason(builder.conv(in, 4)), "its weight is not quantized");
  const auto wide = builder.fake_quantize(builder.input(), 0.001, true, 16);
  EXPECT_EQ(reason(builder.conv(wide, 4)), "its input has more than 8 bits");
  const auto of_each_image = builder.activation_quantizer(0.1);
  builder.table.at(of_each_image).timing = quant::Timing::kDynamic;
  const auto dynamic = builder.fake_quantize_with(builder.input(), of_each_image);
  EXPECT_EQ(reason(builder.conv(dynamic, 4)), "its input takes its scale from every image");
  const auto layer = builder.conv(in, 4);
  builder.quantize_weight(layer, 0.1);
  EXPECT_EQ(reason(layer), "");
}

}  // namespace
}  // namespace ptq::runtime
