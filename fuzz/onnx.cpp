#include "export/onnx/read/program.h"
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ptq::fuzz::InputFile file(data, size);
  ptq::fuzz::expect_only<ptq::ExportError>(
      [&] { const ptq::exporting::OnnxProgram program(file.path()); });
  return 0;
}
