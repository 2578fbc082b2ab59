#include "input.h"
#include "options/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ptq::fuzz::InputFile file(data, size);
  ptq::options::Settings settings;
  ptq::fuzz::expect_only<ptq::ConfigError>(
      [&] { ptq::options::read_config_file(file.path(), settings); });
  return 0;
}
