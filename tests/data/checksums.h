#pragma once

#include <zlib.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace ptq::data {

/// Path of a file or folder beside the tests' sources.
inline std::string test_file(const std::string& relative) {
  return std::string(PTQ_DATA_TESTS) + "/" + relative;
}

inline uint32_t checksum(const std::vector<uint8_t>& bytes) {
  return static_cast<uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

/// One line of a .crc32 file that scripts/preprocessing_hashes.py wrote.
struct ExpectedChecksums {
  std::string path;
  /// The whole image, then one a recipe.
  std::vector<uint32_t> sums;
};

inline std::vector<ExpectedChecksums> read_checksums(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) throw std::runtime_error("cannot open " + path);
  std::vector<ExpectedChecksums> result;
  for (std::string line; std::getline(stream, line);) {
    if (line.front() == '#') continue;
    std::istringstream words(line);
    ExpectedChecksums expected;
    for (std::string word; words >> word; expected.path = word) {
      if (!expected.path.empty()) {
        expected.sums.push_back(static_cast<uint32_t>(std::stoul(expected.path, nullptr, 16)));
      }
    }
    result.push_back(expected);
  }
  return result;
}

/// What a call that must throw `ErrorType` says.
template <class ErrorType, class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const ErrorType& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace ptq::data
