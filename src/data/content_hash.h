#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ptq/data/image_folder.h"

/// Images known by what is in their files, wherever they lie and whatever they are called.
namespace ptq::data {

/// SHA-256 in hexadecimal digits of the files of `items`, indices into folder.items, in their
/// order; `threads` files at a time. Throws DataError naming a file that cannot be read.
std::vector<std::string> content_hashes(const ImageFolder& folder,
                                        const std::vector<int64_t>& items, int threads);

/// One hash of labelled images, the same in any order: that of the sorted lines
/// `<content hash> <label>`. `hashes[i]` is the file with `labels[i]`.
std::string data_hash(const std::vector<std::string>& hashes, const std::vector<int64_t>& labels);

}  // namespace ptq::data
