#pragma once

#include <cstdint>
#include <string>

namespace ptq {

/// Bytes of the largest text that the programs read: labels of millions of images.
inline constexpr uint64_t kMostText = uint64_t{256} << 20;

/// Bytes of the largest YAML file: a reader's nodes take a hundred times as much memory.
inline constexpr uint64_t kMostYaml = uint64_t{4} << 20;

/// Why the file at `path` should not be opened: it is no regular file (a pipe or a device may never
/// end), or has more than `most` bytes. Empty if nothing speaks against it, or there is no file.
std::string input_obstacle(const std::string& path, uint64_t most = kMostText);

/// Whether a YAML file has a second document, which its reader would pass over in silence.
bool has_second_document(const std::string& path);

}  // namespace ptq
