// Quantizes a network to 4-bit weights with GPTQ and says what accuracy is left:
//
//     example_quantize MODEL.pt IMAGES
//
// IMAGES holds calibration/ and validation/, one folder a class in each.
#include "ptq/quantize.h"

#include <iostream>

int main(int argc, char** argv) try {
  if (argc != 3) throw ptq::ConfigError("usage: example_quantize MODEL.pt IMAGES");
  const std::string images = argv[2];
  // Fashion-MNIST is not ImageNet; for a torchvision model this would be ptq::recipe("resnet18").
  const ptq::Recipe recipe{28, 28, {0.286F, 0.286F, 0.286F}, {0.353F, 0.353F, 0.353F}};

  const ptq::Graph graph = ptq::import_torchscript(argv[1], recipe.crop);
  ptq::QuantizeConfig config;
  config.weights.bit_width = 4;
  config.weights.granularity = ptq::Granularity::kPerChannel;
  config.rounding = ptq::Gptq{};
  const ptq::QuantizedNetwork network =
      ptq::quantize(graph, config, ptq::image_folder(images + "/calibration", recipe));
  const ptq::Accuracy accuracy =
      ptq::evaluate(network, ptq::image_folder(images + "/validation", recipe));

  std::cout << accuracy.correct << " of " << accuracy.count << " right\n";
  return accuracy.top1() > 0.5 ? 0 : 1;
} catch (const ptq::Error& error) {
  std::cerr << "error: " << error.what() << "\n";
  return static_cast<int>(error.exit_code());
}
