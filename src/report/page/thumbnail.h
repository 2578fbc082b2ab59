#pragma once

#include <string>

#include "ptq/data/recipe.h"

namespace ptq::report {

/// What the network sees of an image, 96 x 96 pixels, as a `data:` address of a BMP: the one
/// picture format that browsers read and nothing has to encode. Throws DataError as decode_image
/// does.
std::string thumbnail(const std::string& path, const data::Recipe& recipe);

}  // namespace ptq::report
