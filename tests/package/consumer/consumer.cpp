// Quantizes a network in as few lines as that takes.
#include <cstdio>

#include "ptq/quantize.h"

int main(int, char** argv) {
  const std::string images = argv[2];
  const ptq::Recipe recipe{28, 28, {0.286F, 0.286F, 0.286F}, {0.353F, 0.353F, 0.353F}};
  ptq::Graph graph = ptq::import_torchscript(argv[1], 28);
  ptq::QuantizeConfig config;
  config.weights.bit_width = 4;
  config.rounding = ptq::Gptq{};
  ptq::QuantizedNetwork net =
      ptq::quantize(graph, config, ptq::image_folder(images + "/calibration", recipe));
  ptq::write_onnx(net, "net.onnx");
  ptq::Accuracy top1 = ptq::evaluate(net, ptq::image_folder(images + "/validation", recipe));
  std::printf("%.3f\n", top1.top1());
  return top1.top1() > 0.5 ? 0 : 1;
}
