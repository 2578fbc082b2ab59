#include "import/guard/code.h"

#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ptq::fuzz::expect_only<ptq::ImportError>([&] {
    ptq::import::check_code({reinterpret_cast<const char*>(data), size}, "code/m.py", false);
  });
  return 0;
}
