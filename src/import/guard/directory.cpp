#include "import/guard/directory.h"

#include <algorithm>

#include "ptq/base/error.h"

namespace ptq::import {
namespace {

constexpr uint64_t kEndSize = 22;
constexpr uint64_t kLocatorSize = 20;
constexpr uint64_t kEnd64Size = 56;
constexpr uint64_t kEntrySize = 46;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kLocatorSignature = 0x07064b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kEntrySignature = 0x02014b50;
constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint16_t kSizes64 = 1;
constexpr uint32_t kIn64 = 0xffffffff;

uint64_t number(std::string_view bytes, uint64_t position, int width) {
  uint64_t value = 0;
  for (int i = width - 1; i >= 0; --i) {
    value = value << 8U | static_cast<unsigned char>(bytes[position + static_cast<uint64_t>(i)]);
  }
  return value;
}

uint16_t two(std::string_view bytes, uint64_t at) {
  return static_cast<uint16_t>(number(bytes, at, 2));
}
uint32_t four(std::string_view bytes, uint64_t at) {
  return static_cast<uint32_t>(number(bytes, at, 4));
}
uint64_t eight(std::string_view bytes, uint64_t at) { return number(bytes, at, 8); }

ImportError damaged_directory() {
  return ImportError("is damaged: the directory of the zip archive at its end cannot be read");
}

/// The last signature, as LibTorch takes it: one in the comment of another end would lead it to
/// another directory.
uint64_t find_end(const std::string& tail) {
  for (uint64_t back = kEndSize; back <= tail.size(); ++back) {
    const uint64_t at = tail.size() - back;
    if (four(tail, at) != kEndSignature) continue;
    if (at + kEndSize + two(tail, at + 20) != tail.size()) throw damaged_directory();
    return at;
  }
  throw ImportError("is not a whole zip archive, so not a TorchScript file: its end is missing");
}

DirectoryPlace place_in_64(const std::string& locator, uint64_t file_size, const ReadAt& read) {
  const uint64_t offset = eight(locator, 8);
  if (file_size < kEnd64Size || offset > file_size - kEnd64Size) throw damaged_directory();
  const std::string end = read(offset, kEnd64Size);
  if (four(end, 0) != kEnd64Signature) throw damaged_directory();
  return {eight(end, 48), eight(end, 40), eight(end, 32)};
}

/// Sizes and offset that did not fit into 32 bits, in the order of the standard.
void read_sizes_64(std::string_view extra, DirectoryEntry& entry) {
  while (extra.size() >= 4) {
    const uint16_t kind = two(extra, 0);
    const uint16_t size = two(extra, 2);
    extra.remove_prefix(4);
    if (size > extra.size()) throw damaged_directory();
    if (kind != kSizes64) {
      extra.remove_prefix(size);
      continue;
    }
    std::string_view field = extra.substr(0, size);
    for (uint64_t* value : {&entry.size, &entry.stored_size, &entry.header_offset}) {
      if (*value != kIn64) continue;
      if (field.size() < 8) throw damaged_directory();
      *value = eight(field, 0);
      field.remove_prefix(8);
    }
    return;
  }
}

}  // namespace

DirectoryPlace find_directory(const std::string& tail, uint64_t file_size, const ReadAt& read) {
  const uint64_t end = find_end(tail);
  DirectoryPlace place{four(tail, end + 16), four(tail, end + 12), two(tail, end + 10)};
  if (end >= kLocatorSize && four(tail, end - kLocatorSize) == kLocatorSignature) {
    place = place_in_64(tail.substr(end - kLocatorSize, kLocatorSize), file_size, read);
  }
  if (place.offset > file_size || place.size > file_size - place.offset ||
      place.entries > place.size / kEntrySize) {
    throw damaged_directory();
  }
  return place;
}

DirectoryEntry parse_entry(std::string_view directory, uint64_t position) {
  if (directory.size() < kEntrySize || position > directory.size() - kEntrySize)
    throw damaged_directory();
  const std::string_view fixed = directory.substr(position, kEntrySize);
  if (four(fixed, 0) != kEntrySignature) throw damaged_directory();
  DirectoryEntry entry;
  entry.encrypted = (two(fixed, 8) & 1U) != 0;
  entry.method = two(fixed, 10);
  entry.crc = four(fixed, 16);
  entry.stored_size = four(fixed, 20);
  entry.size = four(fixed, 24);
  entry.header_offset = four(fixed, 42);
  const uint64_t name_size = two(fixed, 28);
  const uint64_t extra_size = two(fixed, 30);
  entry.end = position + kEntrySize + name_size + extra_size + two(fixed, 32);
  if (entry.end > directory.size()) throw damaged_directory();
  entry.name = directory.substr(position + kEntrySize, name_size);
  read_sizes_64(directory.substr(position + kEntrySize + name_size, extra_size), entry);
  return entry;
}

LocalHeader parse_local_header(std::string_view header) {
  if (header.size() < kLocalHeaderSize || four(header, 0) != kLocalSignature)
    throw damaged_directory();
  return {two(header, 8), two(header, 26), two(header, 28)};
}

std::string in_quotes(std::string_view name) {
  constexpr size_t kLongest = 100;
  std::string text;
  for (const char c : name.substr(0, kLongest))
    text.push_back(c == '\n' ? ' ' : c >= ' ' && c <= '~' ? c : '?');
  return "'" + text + (name.size() > kLongest ? "..." : "") + "'";
}

}  // namespace ptq::import
