#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "export/torchscript_network.h"
#include "ptq/base/error.h"
#include "support/plan_cases.h"

namespace ptq::exporting {
namespace {

using ptq::testing::PlanCase;
using ::testing::AllOf;
using testing::expect_same;
using testing::GraphBuilder;
using ::testing::HasSubstr;
using testing::Network;

class TorchScriptOperation : public ::testing::TestWithParam<PlanCase> {};

TEST_P(TorchScriptOperation, RunsAsInTheInterpreter) {
  GraphBuilder builder(GetParam().image);
  const ir::Graph graph = builder.finish(GetParam().build(builder));
  expect_same({graph, builder.table});
}

INSTANTIATE_TEST_SUITE_P(Cases, TorchScriptOperation,
                         ::testing::ValuesIn(ptq::testing::plan_cases()),
                         [](const auto& test) { return test.param.name; });

/// An operator nobody lowered, on [N, 3, 4, 4].
ir::Graph with_opaque(GraphBuilder& builder, const ir::Opaque& op,
                      const std::vector<ir::ValueId>& inputs) {
  return builder.finish(builder.flatten(builder.add(op, inputs, "op")));
}

TEST(TorchScriptOpaque, CallsOperatorsBySchema) {
  const ir::Dims one{{1, false}}, axis{{2, false}}, sizes{{1, false}, {2, false}, {1, false}};
  const ir::InputRef x{0};
  const std::vector<ir::Opaque> operators = {
      {"aten::roll", "", {x, one, axis}, 0},
      {"aten::constant_pad_nd", "", {x, ir::Dims{{1, false}, {2, false}}, -1.5}, 0},
      {"aten::topk", "", {x, ir::Dim{2, false}, ir::Dim{-1, false}, true, true}, 0},
      {"aten::split_with_sizes", "", {x, sizes, ir::Dim{3, false}}, 1},
      {"aten::clamp", "", {x, std::monostate{}, 0.25}, 0},
      {"aten::cumsum", "", {x, ir::Dim{1, false}, std::monostate{}}, 0},
      {"aten::mul", "Tensor", {x, at::full({4}, 0.5)}, 0},
      {"aten::gelu", "", {x, std::string("tanh")}, 0},
  };
  for (const ir::Opaque& op : operators) {
    SCOPED_TRACE(op.schema);
    GraphBuilder builder({3, 4, 4});
    expect_same({with_opaque(builder, op, {builder.input()}), builder.table});
  }
}

TEST(TorchScriptOpaque, PassesListsOfTensorsWithHoles) {
  GraphBuilder builder({3, 4, 4});
  const ir::ValueId rows = builder.constant(at::arange(2));
  const ir::Opaque index{"aten::index", "Tensor", {ir::InputRef{0}, ir::InputRefs{{-1, 1}}}, 0};
  expect_same({with_opaque(builder, index, {builder.input(), rows}), builder.table});
}

std::string refusal(const QuantizedNetwork& network) {
  try {
    check_exportable(network, Format::kTorchScript, {});
  } catch (const ExportError& error) {
    return error.what();
  }
  return "none";
}

TEST(TorchScriptOpaque, IsRefusedByNameWhereTheLanguageHasNoWordForIt) {
  GraphBuilder builder({3, 4, 4});
  ir::Graph graph = with_opaque(builder, {"aten::relu", "", {ir::InputRef{0}}, 0}, {0});
  EXPECT_EQ(refusal({graph, {}}), "none");
  graph.nodes.front().op = ir::Opaque{"quantized::relu6", "", {ir::InputRef{0}}, 0};
  EXPECT_THAT(refusal({graph, {}}), AllOf(HasSubstr("op computes"), HasSubstr("quantized::relu6")));
  graph.nodes.front().op = ir::Opaque{"aten::clamp", "", {ir::InputRef{0}, std::string("low")}, 0};
  EXPECT_THAT(refusal({graph, {}}), AllOf(HasSubstr("op computes"), HasSubstr("aten::clamp")));
}

TEST(TorchScriptRefusal, NamesLayerAndReason) {
  Network network;
  EXPECT_EQ(refusal({network.graph, network.builder.table}), "none");
  network.weight().format = quant::MinifloatFormat{};
  EXPECT_THAT(refusal({network.graph, network.builder.table}),
              AllOf(HasSubstr("features.0"), HasSubstr("minifloat")));
  network.weight().format = quant::IntegerFormat{25, true, false};
  EXPECT_THAT(refusal({network.graph, network.builder.table}),
              AllOf(HasSubstr("features.0"), HasSubstr("25 bits")));
  network.weight().format = quant::IntegerFormat{};
  network.weight().granularity = quant::Granularity::kPerGroup;
  EXPECT_THAT(refusal({network.graph, network.builder.table}),
              AllOf(HasSubstr("features.0"), HasSubstr("group")));
  network.weight().granularity = quant::Granularity::kPerTensor;
  network.activation().timing = quant::Timing::kDynamic;
  EXPECT_THAT(refusal({network.graph, network.builder.table}),
              HasSubstr("the activation quantizer at activation"));
}

}  // namespace
}  // namespace ptq::exporting
