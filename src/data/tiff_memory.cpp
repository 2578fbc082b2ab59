#include "data/tiff_memory.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

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

}  // namespace

TiffHandle open_tiff(TiffMemory& memory, std::string& message) {
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
