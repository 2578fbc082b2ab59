#pragma once

#include <cstdint>

#include "data/decoders.h"

namespace ptq::data {

/// The segments of a JPEG file, without its pixels.
struct JpegOutline {
  /// From its beginning to its end marker nothing is missing and nothing out of place.
  bool is_whole = false;
  int64_t width = 0;
  int64_t height = 0;
  int components = 0;
  int64_t scans = 0;
  /// Of one sample of colour.
  int64_t rows_of_sample = 1;
  /// Rows come once, from the top to the bottom, with nothing but codes between them.
  bool is_one_pass = false;
  /// Where the height stands, and the marker behind the last codes.
  size_t height_at = 0;
  size_t codes_end = 0;
};

JpegOutline jpeg_outline(const FileBytes& file);

/// What libjpeg keeps of scans that each hold a part of all pixels, until it has the last.
inline int64_t bytes_in_parts(int64_t pixels, int components) { return pixels * components * 2; }

/// A progressive JPEG is decoded anew for each of its scans, of which cameras and tools write up to
/// twenty.
inline bool is_too_much_work(int64_t pixels, int64_t scans) {
  constexpr int64_t kMostScans = 100;
  constexpr int64_t kMostWork = 4'000'000'000;  // pixels times scans
  return scans > kMostScans || pixels * scans > kMostWork;
}

}  // namespace ptq::data
