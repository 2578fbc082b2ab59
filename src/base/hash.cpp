#include "base/hash.h"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "ptq/base/error.h"

namespace ptq {
namespace {

void require(int succeeded) {
  if (succeeded != 1) throw InternalError("the SHA-256 of this machine's OpenSSL does not work");
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

DataError unreadable(const std::string& path) {
  std::error_code ignored;
  if (errno == ENOENT && std::filesystem::is_symlink(path, ignored)) {
    return DataError(path + " is a link to a file that does not exist");
  }
  return DataError(path + " cannot be read: " + std::strerror(errno));
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
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) throw unreadable(path);
  Sha256 hash;
  std::array<char, 1 << 16> piece{};
  while (const size_t size = std::fread(piece.data(), 1, piece.size(), file.get())) {
    hash.add({piece.data(), size});
  }
  // Opening a folder succeeds; reading it does not.
  if (std::ferror(file.get()) != 0) throw unreadable(path);
  return hash.hex();
}

}  // namespace ptq
