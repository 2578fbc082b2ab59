#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ptq::data {

/// A file in an archive: its bytes are those of the archive from `offset` on.
struct TarMember {
  std::string name;
  int64_t offset = 0;
  int64_t size = 0;
};

/// The files of a .tar archive (POSIX ustar and GNU's long names, not compressed) in its order; in
/// place of an archive in it, the files of that, called `inner.tar/name`. Reads the headers alone.
/// Throws DataError naming the archive where it is damaged or truncated.
std::vector<TarMember> read_tar(const std::string& path);

}  // namespace ptq::data
