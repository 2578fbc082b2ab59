#include "base/hash.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>

#include "base/input_file.h"
#include "ptq/base/error.h"

namespace ptq {
namespace {

void require(int succeeded) {
  if (succeeded != 1) throw InternalError("the SHA-256 of this machine's OpenSSL does not work");
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  // Looking an algorithm up takes longer than hashing a line.
  static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  require(EVP_DigestInit_ex(state_->context, kAlgorithm, nullptr));
}

Sha256::~Sha256() = default;

Sha256& Sha256::add(std::string_view bytes) {
  require(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()));
  return *this;
}

std::string Sha256::hex() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  require(EVP_DigestFinal_ex(state_->context, digest.data(), &size));
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text.push_back(kDigits[digest[i] >> 4U]);
    text.push_back(kDigits[digest[i] & 15U]);
  }
  return text;
}

std::string sha256(std::string_view bytes) { return Sha256().add(bytes).hex(); }

std::string sha256_of_file(const std::string& path) {
  std::error_code ignored;
  const uint64_t said = std::filesystem::file_size(path, ignored);
  uint64_t bytes = 0;
  Sha256 hash;
  const std::string obstacle =
      read_pieces(path, std::numeric_limits<uint64_t>::max(), [&](std::string_view piece) {
        bytes += piece.size();
        hash.add(piece);
        return bytes > said ? "has more bytes than its size says" : "";
      });
  if (!obstacle.empty()) throw DataError(path + " " + obstacle);
  return hash.hex();
}

/// Of four words at a time, each by FNV-1a with a shift that lets high bits reach low ones: one
/// multiplication need not wait for the one before it.
uint64_t checksum64(const void* bytes, size_t size) {
  constexpr size_t kLanes = 4;
  constexpr uint64_t kPrime = 0x100000001b3ULL;
  const auto mix = [](uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * kPrime;
    return hash ^ hash >> 29U;
  };
  std::array<uint64_t, kLanes> hashes = {0xcbf29ce484222325ULL, 1, 2, size};
  for (size_t at = 0; at < size; at += sizeof hashes) {
    std::array<uint64_t, kLanes> words = {};
    std::memcpy(words.data(), static_cast<const char*>(bytes) + at,
                std::min(sizeof words, size - at));
    for (size_t i = 0; i < kLanes; ++i) hashes[i] = mix(hashes[i], words[i]);
  }
  return mix(mix(mix(hashes[0], hashes[1]), hashes[2]), hashes[3]);
}

}  // namespace ptq
