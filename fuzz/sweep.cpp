#include "input.h"
#include "sweep/sweep_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ptq::fuzz::InputFile file(data, size);
  ptq::fuzz::expect_only<ptq::ConfigError>([&] { ptq::sweep::read_sweep_file(file.path()); });
  return 0;
}
