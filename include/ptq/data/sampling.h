#pragma once

#include <cstdint>
#include <vector>

#include "ptq/data/image_folder.h"

namespace ptq::data {

/// kFirst: the first images in order, as the reference does. kRandom: each image equally likely.
/// kStratified: one image of every class, then a second, ...; classes and the images of a class in
/// random order, classes that run out are left out, so that every prefix is as balanced as it can
/// be.
enum class CalibrationSampling { kStratified, kFirst, kRandom };

/// Indices into `folder.items`, each at most once, in the order they are to be used. The same on
/// every machine for the same seed. Throws DataError if `count` images do not exist.
std::vector<int64_t> draw_calibration_items(const ImageFolder& folder, int64_t count,
                                            CalibrationSampling sampling, uint64_t seed);

}  // namespace ptq::data
