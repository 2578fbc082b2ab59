#include "ptq/passes/split_channels.h"

#include <ATen/ops/argsort.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "passes/equalization/channel_axis.h"
#include "passes/equalization/splittable_regions.h"
#include "passes/pass.h"

/// conv(W1, b1) -> relu -> conv(W2)  becomes, with channel c split,
///   conv([W1 with W1[c] / 2; W1[c] / 2], b1 alike) -> relu -> conv([W2, W2[:, c]])    (kOutput)
///   conv([W1; W1[c]], b1 alike) -> relu -> conv([W2 with W2[:, c] / 2, W2[:, c] / 2])  (kInput)
namespace ptq::passes {
namespace {

constexpr double kHalf = 0.5;
constexpr double kWhole = 1;

/// A layer's weight, and the axis along which the channels of the region lie in it.
struct Face {
  ir::Weighted* layer = nullptr;
  int64_t axis = 0;
};

std::vector<Face> faces(const EqualizationRegion& region, Side side) {
  std::vector<Face> faces;
  if (side == Side::kOutput) {
    for (const EqualizationSource& source : region.sources) {
      ir::Op& op = source.node->op;
      faces.push_back({ir::weighted(op), ir::output_channel_axis(op)});
    }
  } else {
    for (const EqualizationSink& sink : region.sinks) {
      ir::Op& op = sink.node->op;
      faces.push_back({ir::weighted(op), input_channel_axis(op).value()});
    }
  }
  return faces;
}

/// The `count` channels of the largest |weight|.
at::Tensor largest_channels(const Face& face, int64_t count) {
  const at::Tensor channels = face.layer->weight.value.movedim(face.axis, 0).flatten(1);
  const at::Tensor order = at::argsort(channels.abs().amax(1), /*stable=*/true, 0, true);
  return order.narrow(0, 0, count);
}

/// Ascending. More than the ratio says where layers disagree.
at::Tensor channels_to_split(const EqualizationRegion& region, const SplittingOptions& options) {
  const double wanted = std::ceil(options.ratio * static_cast<double>(region.channels));
  const int64_t count = std::min(static_cast<int64_t>(wanted), region.channels);
  at::Tensor is_split = at::zeros({region.channels}, at::kBool);
  for (const Face& face : faces(region, options.side)) {
    is_split.index_fill_(0, largest_channels(face, count), true);
  }
  return is_split.nonzero().squeeze(1);
}

/// The channels and, behind all others, their copies, both times `share`.
at::Tensor with_copies(const at::Tensor& tensor, int64_t axis, const at::Tensor& channels,
                       double share) {
  const at::Tensor copies = tensor.index_select(axis, channels).mul(share);
  return at::cat({tensor.index_copy(axis, channels, copies), copies}, axis);
}

void split_layers(const EqualizationRegion& region, const at::Tensor& channels, Side side) {
  const bool output = side == Side::kOutput;
  for (const Face& face : faces(region, Side::kOutput)) {
    const double share = output ? kHalf : kWhole;
    at::Tensor& weight = face.layer->weight.value;
    weight = with_copies(weight, face.axis, channels, share);
    if (!face.layer->bias) continue;
    face.layer->bias->value = with_copies(face.layer->bias->value, 0, channels, share);
  }
  for (const Face& face : faces(region, Side::kInput)) {
    at::Tensor& weight = face.layer->weight.value;
    weight = with_copies(weight, face.axis, channels, output ? kWhole : kHalf);
  }
}

/// A reshape is the one operation between layers that says how many channels there are.
void widen_values(ir::Graph& graph, const EqualizationRegion& region, int64_t added) {
  const ir::Index index(graph);
  for (const RegionValue& held : region.values) {
    ir::Dims& shape = graph.values[static_cast<size_t>(held.value)].shape;
    ir::Dim& extent = shape[static_cast<size_t>(held.axis)];
    extent.value += added;
    if (auto* reshape = index.producer(held.value)->as<ir::Reshape>()) {
      reshape->shape[static_cast<size_t>(held.axis)] = extent;
    }
  }
}

}  // namespace

SplittingReport split_channels(ir::Graph& graph, const SplittingOptions& options) {
  SplittingReport report;
  if (options.ratio <= 0) return report;
  const EqualizationRegions found = splittable_regions(graph);
  report.rejected = found.rejected;
  for (const EqualizationRegion& region : found.regions) {
    const at::Tensor channels = channels_to_split(region, options);
    split_layers(region, channels, options.side);
    widen_values(graph, region, channels.numel());
    report.regions.push_back({names_of(region), channels.numel()});
    report.channels += channels.numel();
  }
  return report;
}

int SplitChannels::run(ir::Graph& graph) const {
  const SplittingReport report = split_channels(graph, options_);
  if (options_.on_report) options_.on_report(report);
  return static_cast<int>(report.regions.size());
}

}  // namespace ptq::passes
