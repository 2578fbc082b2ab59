// A placement of one's own: every convolution's weight gets 4 bits a channel and its input 8 bits,
// and nothing else is quantized.
//
//     example_own_placement MODEL.pt IMAGES
//
// A quantizer is a row of a table; a layer or a FakeQuantize node holds its number. Whatever a
// graph and its table say, the rest of the library runs, evaluates and exports.
#include <iostream>

#include "ptq/passes/calibrate.h"
#include "ptq/quantize.h"

namespace {

ptq::quant::Quantizer of_weight(const ptq::ir::Node& layer) {
  ptq::quant::Quantizer quantizer;
  quantizer.kind = ptq::quant::QuantizerKind::kWeight;
  quantizer.layer = layer.name;
  quantizer.format = ptq::quant::IntegerFormat{4, true, true};
  quantizer.granularity = ptq::Granularity::kPerChannel;
  return quantizer;
}

ptq::quant::Quantizer of_input(const ptq::ir::Node& layer) {
  ptq::quant::Quantizer quantizer;
  quantizer.layer = layer.name;
  quantizer.format = ptq::quant::IntegerFormat{8, true, false};
  return quantizer;
}

/// `graph` with quantizers, whose scales are not known yet.
ptq::QuantizedNetwork place(const ptq::Graph& graph) {
  ptq::QuantizedNetwork network{graph, {}};
  auto& nodes = network.graph.nodes;
  for (auto node = nodes.begin(); node != nodes.end(); ++node) {
    auto* conv = node->as<ptq::ir::Conv>();
    if (conv == nullptr) continue;
    conv->weight_quantizer = network.table.add(of_weight(*node));
    const ptq::ir::ValueId input = node->inputs.front();
    const ptq::ir::Op quantize = ptq::ir::FakeQuantize{network.table.add(of_input(*node))};
    const auto shape = network.graph.values[static_cast<size_t>(input)].shape;
    const ptq::ir::Node& inserted = network.graph.insert(
        node,
        {network.graph.unique_name(node->name + ".input"), node->module, quantize, {input}, {}},
        shape);
    node->inputs.front() = inserted.output();
  }
  ptq::ir::verify(network.graph);
  return network;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) throw ptq::ConfigError("usage: example_own_placement MODEL.pt IMAGES");
  const std::string images = argv[2];
  const ptq::Recipe recipe{28, 28, {0.286F, 0.286F, 0.286F}, {0.353F, 0.353F, 0.353F}};
  ptq::QuantizedNetwork network = place(ptq::import_torchscript(argv[1], recipe.crop));

  ptq::passes::initialize_weight_scales(network);
  const ptq::ImageSet calibration = ptq::image_folder(images + "/calibration", recipe);
  ptq::data::Batches batches(calibration, at::kCPU);
  ptq::passes::calibrate_activations(network, {}, [&] { return batches.next(); });

  const ptq::Accuracy accuracy =
      ptq::evaluate(network, ptq::image_folder(images + "/validation", recipe));
  std::cout << network.table.quantizers.size() << " quantizers, " << accuracy.correct << " of "
            << accuracy.count << " right\n";
  return accuracy.top1() > 0.5 ? 0 : 1;
} catch (const ptq::Error& error) {
  std::cerr << "error: " << error.what() << "\n";
  return static_cast<int>(error.exit_code());
}
