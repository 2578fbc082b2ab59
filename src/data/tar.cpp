#include "data/tar.h"

#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "ptq/base/error.h"

namespace ptq::data {
namespace {

constexpr int64_t kTarBlock = 512;
using Block = std::array<char, kTarBlock>;

std::string text(const Block& header, size_t at, size_t size) {
  return {header.data() + at, strnlen(header.data() + at, size)};
}

/// Octal digits between blanks; GNU writes larger numbers in binary behind a set bit.
std::optional<int64_t> number(const Block& header, size_t at, size_t size) {
  int64_t value = 0;
  if ((static_cast<uint8_t>(header[at]) & 0x80U) != 0) {
    for (size_t i = size - 8; i < size; ++i) {
      value = static_cast<int64_t>(static_cast<uint64_t>(value) << 8U |
                                   static_cast<uint8_t>(header[at + i]));
    }
    return value < 0 ? std::nullopt : std::optional<int64_t>(value);
  }
  for (size_t i = 0; i < size && header[at + i] != '\0'; ++i) {
    const char digit = header[at + i];
    if (digit == ' ') continue;
    if (digit < '0' || digit > '7') return std::nullopt;
    value = value * 8 + (digit - '0');
  }
  return value;
}

bool sum_is_right(const Block& header) {
  constexpr size_t kSumAt = 148, kSumSize = 8;
  int64_t sum = 0;
  for (size_t i = 0; i < header.size(); ++i) {
    const bool in_sum = i >= kSumAt && i < kSumAt + kSumSize;
    sum += in_sum ? ' ' : static_cast<uint8_t>(header[i]);
  }
  return number(header, kSumAt, kSumSize) == sum;
}

std::string name_of(const Block& header) {
  const std::string name = text(header, 0, 100);
  const bool is_posix = std::memcmp(header.data() + 257, "ustar", 6) == 0;
  const std::string folder = is_posix ? text(header, 345, 155) : "";
  return folder.empty() ? name : folder + "/" + name;
}

/// The `path` of POSIX records, "LENGTH key=value" and a line break each; Python's tarfile writes
/// names so that are long or not ASCII. Empty where there is none.
std::string path_in(std::string_view records) {
  std::string path;
  while (!records.empty()) {
    size_t length = 0;
    const char* const end = records.data() + records.size();
    const auto [after, error] = std::from_chars(records.data(), end, length);
    const size_t key = static_cast<size_t>(after - records.data()) + 1;
    if (error != std::errc() || length <= key || length > records.size()) break;
    const std::string_view record = records.substr(key, length - 1 - key);
    constexpr std::string_view kPath = "path=";
    if (record.substr(0, kPath.size()) == kPath) path = record.substr(kPath.size());
    records.remove_prefix(length);
  }
  return path;
}

class Archive {
 public:
  explicit Archive(const std::string& path) : path_(path), stream_(path, std::ios::binary) {
    std::error_code failure;
    end_ = static_cast<int64_t>(std::filesystem::file_size(path, failure));
    if (!stream_ || failure) throw DataError(path + ": cannot be opened");
  }
  /// The archive that `inner` of the one at `path` is.
  Archive(const std::string& path, const TarMember& inner)
      : path_(path + "/" + inner.name),
        stream_(path, std::ios::binary),
        at_(inner.offset),
        end_(inner.offset + inner.size) {
    if (!stream_) throw DataError(path + ": cannot be opened");
  }

  std::vector<TarMember> members() {
    std::vector<TarMember> found;
    std::string long_name;
    for (Block header; next(header);) {
      const int64_t size = number(header, 124, 12).value_or(-1);
      if (!sum_is_right(header) || size < 0) refuse("is no .tar archive, or damaged");
      if (size > end_ - at_) refuse("is truncated");
      const char kind = header[156];
      if (kind == 'L') {
        long_name = read(size).c_str();
      } else if (kind == 'x') {
        long_name = path_in(read(size));
      } else if (kind != 'K' && kind != 'g') {  // those say more of the member that comes next
        const bool is_file = kind == '0' || kind == '\0' || kind == '7';
        if (is_file) found.push_back({long_name.empty() ? name_of(header) : long_name, at_, size});
        long_name.clear();
      }
      at_ += (size + kTarBlock - 1) / kTarBlock * kTarBlock;
    }
    return found;
  }

 private:
  [[noreturn]] void refuse(const char* reason) const { throw DataError(path_ + " " + reason); }

  /// False at the end, which is a block of zeros.
  bool next(Block& header) {
    if (at_ >= end_) return false;
    if (end_ - at_ < kTarBlock) refuse("is truncated");
    stream_.seekg(at_);
    if (!stream_.read(header.data(), kTarBlock)) refuse("cannot be read");
    at_ += kTarBlock;
    return header != Block{};
  }

  std::string read(int64_t size) {
    constexpr int64_t kLongest = 1 << 20;
    if (size > kLongest) refuse("has a name that is too long");
    std::string bytes(static_cast<size_t>(size), '\0');
    if (!stream_.read(bytes.data(), size)) refuse("cannot be read");
    return bytes;
  }

  const std::string path_;
  std::ifstream stream_;
  int64_t at_ = 0;
  int64_t end_ = 0;
};

/// Not what file servers leave beside one, `._a.tar`.
bool is_archive(const TarMember& member) {
  const std::filesystem::path name(member.name);
  return name.extension() == ".tar" && name.filename().string().front() != '.';
}

}  // namespace

std::vector<TarMember> read_tar(const std::string& path) {
  std::vector<TarMember> files;
  for (TarMember& member : Archive(path).members()) {
    if (!is_archive(member)) {
      files.push_back(std::move(member));
      continue;
    }
    for (const TarMember& inside : Archive(path, member).members()) {
      files.push_back({member.name + "/" + inside.name, inside.offset, inside.size});
    }
  }
  return files;
}

}  // namespace ptq::data
