#include "models/network.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/hand_defined.h"
#include "models/mobilenet_v1_weights.h"
#include "ptq/base/error.h"

namespace ptq::models {
namespace {

using quant::Granularity;
using ::testing::HasSubstr;

Weights one_layer() { return {{"conv.weight", at::ones({4, 3, 3, 3})}}; }

template <class Work>
std::string message_of(const Work& work) {
  try {
    work();
  } catch (const ImportError& error) {
    return error.what();
  }
  return "";
}

TEST(Network, KnowsTheShapesOfItsValues) {
  const Weights weights = one_layer();
  Network network("net", weights, 9);
  const auto x = network.conv("conv", network.input(), {2, 1, 1},
                              weight_quantizer(8, Granularity::kPerChannel));
  EXPECT_EQ(network.channels(x), 4);
  const QuantizedNetwork made = std::move(network).finish(x);
  const ir::Dims expected{{1, true}, {4, false}, {5, false}, {5, false}};
  EXPECT_EQ(made.graph.values.at(static_cast<size_t>(x)).shape, expected);
}

TEST(Network, NamesAWeightThatIsMissing) {
  const Weights weights = one_layer();
  EXPECT_THAT(message_of([&] {
                Network network("net", weights, 9);
                network.batch_norm("bn", network.input(), 1e-5);
              }),
              HasSubstr("no bn.weight, which net needs"));
}

TEST(Network, NamesAWeightThatNobodyTook) {
  Weights weights = one_layer();
  weights["extra.bias"] = at::ones({4});
  EXPECT_THAT(message_of([&] {
                Network network("net", weights, 9);
                const auto x = network.conv("conv", network.input(), {1, 0, 1},
                                            weight_quantizer(8, Granularity::kPerChannel));
                std::move(network).finish(x);
              }),
              HasSubstr("extra.bias, which net does not know"));
}

TEST(Network, NamesALayerThatDoesNotFitItsInput) {
  const Weights weights = {{"conv.weight", at::ones({4, 5, 3, 3})}};
  EXPECT_THAT(message_of([&] {
                Network network("net", weights, 9);
                network.conv("conv", network.input(), {1, 0, 1},
                             weight_quantizer(8, Granularity::kPerChannel));
              }),
              HasSubstr("net: conv does not fit its input"));
}

TEST(Network, SharesScalesWhereItIsTold) {
  const Weights weights;
  Network network("net", weights, 4);
  const auto a =
      network.quantize("a", network.input(), unsigned_quantizer(8, Granularity::kPerTensor));
  const auto b = network.quantize_as("b", network.input(),
                                     unsigned_quantizer(8, Granularity::kPerTensor), a.quantizer);
  const auto sum = network.add("sum", ir::Add{}, {a.value, b.value});
  const QuantizedNetwork made = std::move(network).finish(sum);
  EXPECT_EQ(made.table.at(a.quantizer).scale, made.table.at(b.quantizer).scale);
}

TEST(HandDefined, IsFoundByNameAlone) {
  EXPECT_NE(find_hand_defined("quant_mobilenet_v1"), nullptr);
  EXPECT_EQ(find_hand_defined("mobilenet_v1"), nullptr);
}

}  // namespace
}  // namespace ptq::models
