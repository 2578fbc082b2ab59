#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ptq {

/// SHA-256 (FIPS 180-4) of the bytes added so far, so that equal contents are known by a short name
/// on every machine.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  Sha256& add(std::string_view bytes);

  /// 64 lower-case hexadecimal digits. Call once, last.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::string_view bytes);

/// Of a whole file, read piece by piece. Throws DataError naming the file if it cannot be read.
std::string sha256_of_file(const std::string& path);

/// A quick checksum of bytes, for equality and damage, not against forgery.
uint64_t checksum64(const void* bytes, size_t size);

}  // namespace ptq
