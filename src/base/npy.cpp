#include "base/npy.h"

#include "base/atomic_file.h"

namespace ptq {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the header below says '<f4'");

/// Magic, version 1.0, length and dictionary, padded so that the data starts at a multiple of 64.
std::string header(int64_t rows, int64_t columns) {
  constexpr size_t kPrefix = 10;
  constexpr size_t kAlignment = 64;
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) +
                     ", " + std::to_string(columns) + "), }";
  const size_t unpadded = kPrefix + text.size() + 1;
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  text.push_back('\n');
  std::string prefix("\x93NUMPY\x01\x00", 8);
  prefix.push_back(static_cast<char>(text.size() & 0xff));
  prefix.push_back(static_cast<char>(text.size() >> 8));
  return prefix + text;
}

}  // namespace

void write_npy(const std::string& path, const float* values, int64_t rows, int64_t columns) {
  AtomicFile file(path);
  file.stream() << header(rows, columns);
  file.stream().write(
      reinterpret_cast<const char*>(values),
      static_cast<std::streamsize>(rows * columns) * static_cast<std::streamsize>(sizeof(float)));
  file.commit();
}

}  // namespace ptq
