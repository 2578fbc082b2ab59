#include "import/guard/pickle.h"

#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ptq::import::PickleRules rules;
  rules.name = "data.pkl";
  rules.storage_bytes = [](std::string_view key) {
    return key == "0" ? std::optional<uint64_t>(40) : std::nullopt;
  };
  ptq::fuzz::expect_only<ptq::ImportError>([&] {
    ptq::import::check_pickle({reinterpret_cast<const char*>(data), size}, rules);
  });
  return 0;
}
