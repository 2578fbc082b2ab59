#include "sweep/journal.h"

#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ptq::fuzz::InputFile file(data, size);
  ptq::fuzz::expect_only<ptq::Error>([&] {
    ptq::sweep::Journal journal(file.path(), {"a", "b"});
    journal.append({"1", "2"});
  });
  return 0;
}
