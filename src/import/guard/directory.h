#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

/// The tables of a zip archive (APPNOTE.TXT 6.3), as far as torch.jit.save uses them. Throws
/// ImportError, without the file's name, where they are damaged.
namespace ptq::import {

/// The end record with the longest comment that it may have, and the 64-bit locator before it.
inline constexpr uint64_t kLongestTail = 22 + 65535 + 20;
inline constexpr uint64_t kLocalHeaderSize = 30;

struct DirectoryPlace {
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t entries = 0;
};

struct DirectoryEntry {
  std::string name;
  bool encrypted = false;
  uint16_t method = 0;
  uint32_t crc = 0;
  uint64_t stored_size = 0;
  uint64_t size = 0;
  uint64_t header_offset = 0;
  /// Where the next entry begins in the directory.
  uint64_t end = 0;
};

struct LocalHeader {
  uint16_t method = 0;
  uint16_t name_size = 0;
  uint16_t extra_size = 0;
};

using ReadAt = std::function<std::string(uint64_t offset, uint64_t size)>;

/// `tail` is the end of a file of `file_size` bytes.
DirectoryPlace find_directory(const std::string& tail, uint64_t file_size, const ReadAt& read);

DirectoryEntry parse_entry(std::string_view directory, uint64_t position);

LocalHeader parse_local_header(std::string_view header);

/// A name of the file in a sentence: short, printable, in quotes.
std::string in_quotes(std::string_view name);

}  // namespace ptq::import
