#include "data/tiff_memory.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <iterator>

namespace ptq::data {
namespace {

int keep_message(TIFF*, void* message, const char*, const char* format, va_list arguments) {
  char text[256];
  std::vsnprintf(text, sizeof(text), format, arguments);
  static_cast<std::string*>(message)->assign(text);
  return 1;
}

int ignore_message(TIFF*, void*, const char*, const char*, va_list) { return 1; }

tmsize_t read_memory(thandle_t handle, void* out, tmsize_t size) {
  auto* memory = static_cast<TiffMemory*>(handle);
  const uint64_t left = memory->file.size() - std::min<uint64_t>(memory->at, memory->file.size());
  const uint64_t taken = std::min(left, static_cast<uint64_t>(std::max<tmsize_t>(size, 0)));
  if (taken > 0) std::memcpy(out, memory->file.data() + memory->at, taken);
  memory->at += taken;
  return static_cast<tmsize_t>(taken);
}

tmsize_t write_nothing(thandle_t, void*, tmsize_t) { return 0; }

toff_t seek_memory(thandle_t handle, toff_t offset, int from) {
  auto* memory = static_cast<TiffMemory*>(handle);
  const uint64_t base = from == SEEK_SET ? 0 : from == SEEK_CUR ? memory->at : memory->file.size();
  return memory->at = base + offset;
}

int close_nothing(thandle_t) { return 0; }

toff_t size_of_memory(thandle_t handle) { return static_cast<TiffMemory*>(handle)->file.size(); }

int map_memory(thandle_t handle, void** base, toff_t* size) {
  const FileBytes& file = static_cast<TiffMemory*>(handle)->file;
  *base = const_cast<uint8_t*>(file.data());
  *size = file.size();
  return 1;
}

void unmap_nothing(thandle_t, void*, toff_t) {}

/// Numbers in the order of bytes that a file begins with; beyond its end there are zeros.
class Numbers {
 public:
  explicit Numbers(const FileBytes& file) : file_(file), big_endian_(byte(0) == 'M') {}
  uint64_t at(uint64_t position, uint64_t width) const {
    uint64_t value = 0;
    for (uint64_t i = 0; i < width; ++i) {
      value = value << 8U | byte(position + (big_endian_ ? i : width - 1 - i));
    }
    return value;
  }

 private:
  uint8_t byte(uint64_t position) const { return position < file_.size() ? file_[position] : 0; }

  const FileBytes& file_;
  bool big_endian_;
};

/// libtiff copies the values of every tag, known or not, and lets them lie on top of each other.
void check_tags(const FileBytes& file) {
  constexpr uint64_t kMost = uint64_t{256} << 20;
  constexpr uint64_t kSlack = 1 << 16;  // equal values may share a place
  constexpr uint64_t kEntry = 12;
  constexpr uint8_t kSizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
  const Numbers numbers(file);
  const uint64_t directory = numbers.at(4, 4);
  uint64_t bytes = 0;
  for (uint64_t i = 0; i < numbers.at(directory, 2); ++i) {
    const uint64_t entry = directory + 2 + i * kEntry;
    const uint64_t type = numbers.at(entry + 2, 2);
    bytes += type < std::size(kSizes) ? kSizes[type] * numbers.at(entry + 4, 4) : 0;
  }
  if (bytes <= std::min(kMost, file.size() + kSlack)) return;
  throw DecodeFailure("damaged TIFF: its tags promise " + std::to_string(bytes) +
                      " bytes, and it has " + std::to_string(file.size()));
}

}  // namespace

TiffHandle open_tiff(TiffMemory& memory, std::string& message) {
  check_tags(memory.file);
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), 1 << 30);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_message, &message);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_message, nullptr);
  return {
      TIFFClientOpenExt("the file", "r", &memory, read_memory, write_nothing, seek_memory,
                        close_nothing, size_of_memory, map_memory, unmap_nothing, options.get()),
      TIFFClose};
}

}  // namespace ptq::data
