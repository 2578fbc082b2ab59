#pragma once

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>

#include <optional>
#include <string>

#include "export/export.h"
#include "passes/pipeline.h"
#include "ptq/backends/placement.h"
#include "ptq/passes/calibrate.h"
#include "support/plan_cases.h"
#include "support/run_graph.h"

namespace ptq::exporting::testing {

/// How a network is quantized and written.
struct Setting {
  std::string name = "fx";
  backends::Backend backend = backends::Backend::kFx;
  backends::PlacementOptions placement = {};
  passes::PreparationOptions preparation = {};
  ExportOptions options = {};
};

using Quantized = QuantizedNetwork;

/// Prepared, placed and calibrated on one batch of random images.
inline Quantized quantized(ir::Graph graph, const Setting& setting) {
  const at::Tensor images = ptq::testing::images_for(graph, 4);
  passes::prepare(graph, setting.preparation);
  Quantized result = backends::place(setting.backend, std::move(graph), setting.placement);
  passes::initialize_weight_scales(result);
  if (!setting.placement.activations || result.table.quantizers.empty()) return result;
  bool is_first = true;
  passes::calibrate_activations(result, {}, [&]() -> std::optional<at::Tensor> {
    if (!std::exchange(is_first, false)) return std::nullopt;
    return images;
  });
  return result;
}

/// torch.nn.functional.normalize of windows that are padded and rolled, as Swin Transformer has it.
inline ir::ValueId normalized_windows(ptq::testing::GraphBuilder& b) {
  const ir::Opaque pad{
      "aten::pad", "", {ir::InputRef{0}, ir::Dims{{0, false}, {1, false}}, "constant", {}}, 0};
  const auto padded = b.add(pad, {b.conv(b.input(), 4)});
  const ir::Dims shifts{{-2, false}, {3, false}}, dims{{2, false}, {3, false}};
  const auto rolled =
      b.add(ir::Opaque{"aten::roll", "", {ir::InputRef{0}, shifts, dims}, 0}, {padded});
  const ir::Opaque norm{
      "aten::norm", "ScalarOpt_dim", {ir::InputRef{0}, 2.0, ir::Dims{{-1, false}}, true}, 0};
  const ir::Opaque bound{"aten::clamp_min", "", {ir::InputRef{0}, 1e-12}, 0};
  const auto length = b.add(bound, {b.add(norm, {rolled})});
  const ir::Opaque expand{"aten::expand_as", "", {ir::InputRef{0}, ir::InputRef{1}}, 0};
  const auto normal = b.add(ir::Div{}, {rolled, b.add(expand, {length, rolled})});
  return b.add(ir::Opaque{"aten::tanh", "", {ir::InputRef{0}}, 0}, {normal});
}

/// Clamps to one bound a channel.
inline ir::ValueId clamped_channels(ptq::testing::GraphBuilder& b) {
  const std::monostate none;
  const auto clamp = [&](ir::Argument low, ir::Argument high, ir::ValueId value) {
    return b.add(
        ir::Opaque{"aten::clamp", "Tensor", {ir::InputRef{0}, std::move(low), std::move(high)}, 0},
        {value});
  };
  const at::Tensor high = at::arange(1, 5, at::kFloat).div(8).view({4, 1, 1});
  ir::ValueId x = clamp(high.mul(-2), high, b.conv(b.input(), 4));
  x = clamp(none, high, b.conv(x, 4));
  return clamp(high.neg(), none, b.conv(x, 4));
}

/// Clamps that are no ReLU6, with one bound and with two.
inline ir::ValueId clamped_values(ptq::testing::GraphBuilder& b) {
  const std::monostate none;
  const auto clamp = [&](const std::string& schema, ir::Argument low, ir::Argument high,
                         ir::ValueId value) {
    return b.add(ir::Opaque{schema, "", {ir::InputRef{0}, std::move(low), std::move(high)}, 0},
                 {value});
  };
  ir::ValueId x = clamp("aten::hardtanh", -0.5, 1.5, b.conv(b.input(), 4));
  x = clamp("aten::clamp", none, 0.75, b.conv(x, 4));
  x = clamp("aten::clamp", ir::Dim{0, false}, none, b.conv(x, 4));
  x = b.add(ir::Opaque{"aten::clamp_max", "", {ir::InputRef{0}, 0.9}, 0}, {b.conv(x, 4)});
  return b.add(ir::Relu6{{}, ir::Parameter{"ceiling", at::full({1}, 0.8, at::kFloat)}},
               {b.conv(x, 4)});
}

/// The networks of the plan's tests, and those of operators that nobody lowers.
inline std::vector<ptq::testing::PlanCase> onnx_cases() {
  std::vector<ptq::testing::PlanCase> cases = ptq::testing::plan_cases();
  cases.push_back({"normalized_windows", {3, 6, 6}, normalized_windows});
  cases.push_back({"clamped_values", {3, 6, 6}, clamped_values});
  cases.push_back({"clamped_channels", {3, 6, 6}, clamped_channels});
  return cases;
}

inline ir::Graph graph_of(const ptq::testing::PlanCase& plan_case) {
  ptq::testing::GraphBuilder builder(plan_case.image);
  return builder.finish(plan_case.build(builder));
}

/// The one scale that the graph's output is a multiple of; nothing if it is not quantized.
inline std::optional<double> output_scale(const Quantized& network) {
  ir::Graph graph = network.graph;
  const ir::Index index(graph);
  const ir::Node* producer = index.producer(graph.output);
  while (producer != nullptr && producer->is<ir::Reshape>()) {
    producer = index.producer(producer->inputs[0]);
  }
  if (producer == nullptr || !producer->is<ir::FakeQuantize>()) return std::nullopt;
  const auto id = producer->as<ir::FakeQuantize>()->quantizer;
  return network.table.scale_of(id).value.item<double>();
}

/// What two outputs of a network may differ by: a step of its last scale where it ends in one, or
/// a thousandth of its largest number.
inline double tolerance(const Quantized& network, const at::Tensor& expected) {
  const double largest = expected.abs().max().item<double>();
  return output_scale(network).value_or(1e-3 * largest) * 1.001;
}

}  // namespace ptq::exporting::testing
