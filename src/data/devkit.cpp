#include "data/devkit.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <set>

#include "base/input_file.h"
#include "data/label_files.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

namespace fs = std::filesystem;

constexpr size_t kHeader = 128;
constexpr uint32_t kCompressed = 15;
constexpr size_t kMostBytes = size_t{64} << 20;

std::string inflated(const std::string& bytes, const fs::path& file) {
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  if (inflateInit(&stream) != Z_OK) throw DataError(file.string() + ": zlib does not start");
  std::string result;
  char piece[1 << 16];
  int status = Z_OK;
  while (status == Z_OK && result.size() <= kMostBytes) {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    status = inflate(&stream, Z_NO_FLUSH);
    result.append(piece, sizeof piece - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) throw DataError(file.string() + ": damaged");
  return result;
}

/// The contents of the file's elements: a kind, a size, and bytes.
std::string elements(const std::string& bytes, const fs::path& file) {
  std::string all;
  for (size_t at = kHeader; at + 8 <= bytes.size();) {
    uint32_t tag[2];
    std::memcpy(tag, bytes.data() + at, sizeof tag);
    at += sizeof tag;
    if (tag[1] > bytes.size() - at) throw DataError(file.string() + ": truncated");
    const std::string element = bytes.substr(at, tag[1]);
    all += tag[0] == kCompressed ? inflated(element, file) : element;
    at += tag[1];
  }
  return all;
}

/// Names of WordNet: bytes, or words of 16 bits of which every other byte is 0.
std::vector<std::string> names_in(std::string text) {
  constexpr size_t kLength = 9;
  constexpr size_t kClasses = 1000;
  std::vector<std::string> names;
  std::set<std::string> seen;
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  for (size_t step : {size_t{1}, size_t{2}}) {
    for (size_t at = 0; at + kLength * step <= text.size() && names.size() < kClasses; ++at) {
      if (text[at] != 'n') continue;
      std::string name;
      for (size_t i = 0; i < kLength; ++i) name += text[at + i * step];
      const bool is_name = std::all_of(name.begin() + 1, name.end(), is_digit);
      if (is_name && seen.insert(name).second) names.push_back(name);
    }
    if (!names.empty()) break;
  }
  return names;
}

}  // namespace

std::vector<std::string> devkit_synsets(const fs::path& folder) {
  std::vector<std::string> names;
  const fs::path list = folder / "synsets.txt", meta = folder / "meta.mat";
  if (fs::is_regular_file(list)) {
    for_each_line(list, [&](int, const std::string& text) { names.push_back(text); });
  } else if (fs::is_regular_file(meta)) {
    const auto [bytes, obstacle] = read_input(meta.string(), kMostBytes);
    if (!obstacle.empty()) throw DataError(meta.string() + ": " + obstacle);
    names = names_in(elements(bytes, meta));
    if (names.empty()) throw DataError(meta.string() + ": no class in it");
  }
  return names;
}

}  // namespace ptq::data
