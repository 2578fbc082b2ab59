#include "data/item_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/hash.h"
#include "base/input_file.h"
#include "data/tar.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostFileBytes = uint64_t{1} << 30;

using OpenedFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

OpenedFile open_file(const std::string& path) {
  OpenedFile file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) throw DecodeFailure("cannot be opened: " + std::generic_category().message(errno));
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  return file;
}

FileBytes read_bytes(std::FILE* file, size_t size) {
  FileBytes bytes(size);
  if (std::fread(bytes.data(), 1, size, file) != size) throw DecodeFailure("cannot be read");
  return bytes;
}

FileBytes read_file(const std::string& path) {
  const std::string obstacle = input_obstacle(path, kMostFileBytes);
  if (!obstacle.empty()) throw DecodeFailure(obstacle);
  const OpenedFile file = open_file(path);
  struct stat status {};
  if (fstat(fileno(file.get()), &status) != 0) throw DecodeFailure("cannot be read");
  return read_bytes(file.get(), static_cast<size_t>(status.st_size));
}

}  // namespace

FileBytes read_item(const ImageFolder::Item& item) {
  if (item.archive.empty()) return read_file(item.path);
  if (static_cast<uint64_t>(item.size) > kMostFileBytes) throw DecodeFailure("is too large");
  const OpenedFile file = open_file(item.archive);
  if (fseeko(file.get(), item.offset, SEEK_SET) != 0) throw DecodeFailure("cannot be read");
  return read_bytes(file.get(), static_cast<size_t>(item.size));
}

ImageFolder::Item item_at(const std::string& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) return {path};
  for (size_t at = path.find(".tar/"); at != path.npos; at = path.find(".tar/", at + 1)) {
    const std::string archive = path.substr(0, at + 4);
    if (!fs::is_regular_file(archive, ignored)) continue;
    for (const TarMember& member : read_tar(archive)) {
      if (archive + "/" + member.name != path) continue;
      return {path, 0, archive, member.offset, member.size};
    }
  }
  return {path};
}

std::string sha256_of_item(const ImageFolder::Item& item) {
  if (item.archive.empty()) return sha256_of_file(item.path);
  try {
    const FileBytes bytes = read_item(item);
    return sha256({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  } catch (const DecodeFailure& failure) {
    throw DataError(item.path + " " + failure.what());
  }
}

uintmax_t size_of_item(const ImageFolder::Item& item) {
  if (!item.archive.empty()) return static_cast<uintmax_t>(item.size);
  std::error_code failure;
  const uintmax_t size = fs::file_size(item.path, failure);
  return failure ? 0 : size;
}

}  // namespace ptq::data
