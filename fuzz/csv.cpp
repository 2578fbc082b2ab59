#include "base/csv.h"

#include "input.h"
#include "sweep/text_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> fields = ptq::split_csv(text);
  // Fields hold no line break; all else comes back as it was.
  if (text.find_first_of("\r\n") == std::string::npos &&
      ptq::split_csv(ptq::csv_line(fields)) != fields) {
    std::abort();
  }
  ptq::fuzz::expect_only<ptq::DataError>([&] { ptq::sweep::parse_csv(text, "table"); });
  return 0;
}
