#include "data/image.h"

#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ptq::fuzz::InputFile file(data, size);
  ptq::fuzz::expect_only<ptq::DataError>([&] { ptq::data::decode_image(file.path()); });
  return 0;
}
