// A pass of one's own: weights next to nothing become zeros before the network is quantized.
//
//     example_own_pass MODEL.pt IMAGES
//
// A pass takes a graph and changes it. Tensors are shared between copies of a graph: a pass
// replaces them and never writes into them.
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <iostream>

#include "ptq/ir/tensors.h"
#include "ptq/quantize.h"

namespace {

/// Of every layer, what is smaller than this part of its largest weight. Returns how many.
int64_t prune(ptq::Graph& graph, double part) {
  int64_t pruned = 0;
  for (ptq::ir::Node& node : graph.nodes) {
    ptq::ir::Weighted* layer = ptq::ir::weighted(node.op);
    if (layer == nullptr) continue;
    at::Tensor& weight = layer->weight.value;
    const at::Tensor small = weight.abs().lt(weight.abs().max().mul(part));
    pruned += small.sum().item<int64_t>();
    weight = at::where(small, at::zeros_like(weight), weight);
  }
  ptq::ir::verify(graph);
  return pruned;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) throw ptq::ConfigError("usage: example_own_pass MODEL.pt IMAGES");
  const std::string images = argv[2];
  const ptq::Recipe recipe{28, 28, {0.286F, 0.286F, 0.286F}, {0.353F, 0.353F, 0.353F}};
  ptq::Graph graph = ptq::import_torchscript(argv[1], recipe.crop);

  const int64_t pruned = prune(graph, 0.01);
  const auto network = ptq::quantize(graph, {}, ptq::image_folder(images + "/calibration", recipe));
  const ptq::Accuracy accuracy =
      ptq::evaluate(network, ptq::image_folder(images + "/validation", recipe));

  std::cout << pruned << " weights are zero, " << accuracy.correct << " of " << accuracy.count
            << " right\n";
  return accuracy.top1() > 0.5 ? 0 : 1;
} catch (const ptq::Error& error) {
  std::cerr << "error: " << error.what() << "\n";
  return static_cast<int>(error.exit_code());
}
