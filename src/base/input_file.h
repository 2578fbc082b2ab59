#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ptq {

/// Bytes of the largest text that the programs read: labels of millions of images.
inline constexpr uint64_t kMostText = uint64_t{256} << 20;

/// Bytes of the largest YAML file: a reader's nodes take a hundred times as much memory.
inline constexpr uint64_t kMostYaml = uint64_t{4} << 20;

/// Why the file at `path` should not be opened: it is no regular file (a pipe or a device may never
/// end), or has more than `most` bytes. Empty if nothing speaks against it, or there is no file.
std::string input_obstacle(const std::string& path, uint64_t most = kMostText);

/// What a file holds, or why it could not be read: words that follow its name, "is a folder, not a
/// file". One of the two is empty.
struct InputText {
  std::string bytes;
  std::string obstacle;
};

/// Hands out a file's bytes in their order, in pieces. Returns what speaks against the file: an
/// obstacle of input_obstacle, an error of the system while it is opened or read, or what `visit`
/// says against a piece, after which there is no other. Empty if the end was reached.
std::string read_pieces(const std::string& path, uint64_t most,
                        const std::function<std::string(std::string_view)>& visit);

/// Reads a file whole. What speaks against it is an obstacle of read_pieces, or more than `most`
/// bytes, whatever its size is said to be.
InputText read_input(const std::string& path, uint64_t most = kMostText);

/// Takes the first line, without its '\n', from what is left of a text. False at the end.
bool take_line(std::string_view& rest, std::string& line);

/// Whether a YAML text has a second document, which its reader would pass over in silence.
bool has_second_document(std::string_view text);

}  // namespace ptq
