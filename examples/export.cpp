// Writes a quantized network as ONNX and as TorchScript:
//
//     example_export MODEL.pt IMAGES
//
// The files appear whole or not at all. What a format cannot express is refused with the name of
// the layer, here dynamic scales.
#include <filesystem>
#include <iostream>

#include "ptq/quantize.h"

int main(int argc, char** argv) try {
  if (argc != 3) throw ptq::ConfigError("usage: example_export MODEL.pt IMAGES");
  const ptq::Recipe recipe{28, 28, {0.286F, 0.286F, 0.286F}, {0.353F, 0.353F, 0.353F}};
  const ptq::Graph graph = ptq::import_torchscript(argv[1], recipe.crop);
  const ptq::ImageSet calibration =
      ptq::image_folder(std::string(argv[2]) + "/calibration", recipe);

  const ptq::QuantizedNetwork network = ptq::quantize(graph, {}, calibration);
  ptq::write_onnx(network, "example.onnx");
  ptq::write_torchscript(network, "example.pt");
  for (const char* file : {"example.onnx", "example.pt"}) {
    std::cout << file << ": " << std::filesystem::file_size(file) << " bytes\n";
  }

  ptq::QuantizeConfig dynamic;
  dynamic.activations->timing = ptq::Timing::kDynamic;
  dynamic.bias_bit_width.reset();
  try {
    ptq::write_onnx(ptq::quantize(graph, dynamic, calibration), "dynamic.onnx");
  } catch (const ptq::ExportError& error) {
    std::cout << "refused: " << error.what() << "\n";
    return 0;
  }
  return 1;
} catch (const ptq::Error& error) {
  std::cerr << "error: " << error.what() << "\n";
  return static_cast<int>(error.exit_code());
}
