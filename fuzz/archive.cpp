#include "import/guard/model_file.h"
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ptq::fuzz::InputFile file(data, size);
  ptq::fuzz::expect_only<ptq::ImportError>(
      [&] { ptq::import::check_model_file(file.path(), ptq::import::ModelTrust::kCheck); });
  return 0;
}
