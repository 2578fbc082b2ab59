#include "runtime/plan/micro_batch.h"

#include <algorithm>

// Measured on a core with 1 MiB of L2 and a share of 16 MiB of L3 (bench/README.md): two images at
// once are 3 to 7 % faster than one on MobileNetV2, ResNet18 and a small ViT, four gain nothing
// more, and eight lose where activations are large. Networks whose weights take longer to read than
// to use, AlexNet for one, want more.
namespace ptq::runtime {
namespace {

constexpr int64_t kMost = 8;
/// What the largest activation of a micro-batch may take, beyond the two images that always fit.
constexpr double kActivationBytes = 10e6;
/// Floating-point operations in the time in which a core reads one byte of weights.
constexpr double kOperationsPerWeightByte = 5.5;
/// Part of the computing time that reading weights may take.
constexpr double kReadingShare = 0.05;

double elements(const ir::Graph& graph, ir::ValueId value) {
  double product = 1;
  for (const ir::Dim& dim : graph.values[static_cast<size_t>(value)].shape) {
    product *= static_cast<double>(dim.value);
  }
  return product;
}

struct Cost {
  double weight_bytes = 0, operations = 0, largest_activation_bytes = 0;
};

Cost cost_of_one_image(const ir::Graph& graph) {
  Cost cost;
  for (const ir::Node& node : graph.nodes) {
    const double outputs = elements(graph, node.output());
    cost.largest_activation_bytes = std::max(cost.largest_activation_bytes, 4 * outputs);
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr) continue;
    const at::Tensor& weight = layer->weight.value;
    const int64_t out_channels = weight.size(ir::output_channel_axis(node.op));
    cost.weight_bytes += 4 * static_cast<double>(weight.numel());
    cost.operations += 2 * outputs * static_cast<double>(weight.numel() / out_channels);
  }
  return cost;
}

}  // namespace

int64_t choose_micro_batch(const ir::Graph& graph) {
  const Cost cost = cost_of_one_image(graph);
  const double reading = cost.weight_bytes * kOperationsPerWeightByte;
  int64_t images = 1;
  while (images < kMost &&
         reading / static_cast<double>(images) > kReadingShare * cost.operations) {
    const double next = 2 * static_cast<double>(images) * cost.largest_activation_bytes;
    if (images >= 2 && next > kActivationBytes) break;
    images *= 2;
  }
  return images;
}

}  // namespace ptq::runtime
