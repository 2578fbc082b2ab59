// Compares the float network with quantized ones of fewer and fewer bits:
//
//     example_evaluate MODEL.pt IMAGES
//
// A set of images is decoded once, however often networks read it. Progress and warnings go to a
// log of one's own.
#include <iostream>

#include "ptq/quantize.h"

namespace {

/// Shows warnings and the names of stages.
class Brief : public ptq::Silence {
 public:
  void warning(const std::string& text) override { std::cerr << "warning: " << text << "\n"; }
  void stage_finished(std::string_view stage, double /*seconds*/) override {
    std::cout << "  " << stage << "\n";
  }
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) throw ptq::ConfigError("usage: example_evaluate MODEL.pt IMAGES");
  const std::string folder = argv[2];
  const ptq::Recipe recipe{28, 28, {0.286F, 0.286F, 0.286F}, {0.353F, 0.353F, 0.353F}};
  const ptq::Graph graph = ptq::import_torchscript(argv[1], recipe.crop);

  ptq::ImageOptions few;
  few.count = 40;  // evenly from all classes
  const ptq::ImageSet calibration = ptq::image_folder(folder + "/calibration", recipe, few);
  const ptq::ImageSet validation = ptq::image_folder(folder + "/validation", recipe);
  ptq::Execution execution;
  execution.threads = 2;

  const ptq::Accuracy in_float = ptq::evaluate(graph, validation, execution);
  std::cout << "float: " << in_float.correct << " of " << in_float.count << "\n";
  for (const int bits : {8, 4}) {
    ptq::QuantizeConfig config;
    config.weights.bit_width = bits;
    Brief log;
    const auto network = ptq::quantize(graph, config, calibration, execution, log);
    const ptq::Accuracy accuracy = ptq::evaluate(network, validation, execution);
    std::cout << bits << "-bit weights: " << accuracy.correct << " of " << accuracy.count << "\n";
  }
  return in_float.top1() > 0.5 ? 0 : 1;
} catch (const ptq::Error& error) {
  std::cerr << "error: " << error.what() << "\n";
  return static_cast<int>(error.exit_code());
}
