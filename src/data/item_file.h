#pragma once

#include <string>

#include "data/decoders.h"
#include "ptq/data/image_folder.h"

/// The file of an image, which may be part of an archive.
namespace ptq::data {

/// Throws DecodeFailure.
FileBytes read_item(const ImageFolder::Item& item);

/// What reading `path` would find: a file, or `archive.tar/name`.
ImageFolder::Item item_at(const std::string& path);

/// SHA-256 in hexadecimal digits. Throws DataError naming a file that cannot be read.
std::string sha256_of_item(const ImageFolder::Item& item);

/// Bytes; 0 for a file that is not there.
uintmax_t size_of_item(const ImageFolder::Item& item);

}  // namespace ptq::data
