#pragma once

#include <tiffio.h>

#include <cstdint>
#include <memory>
#include <string>

#include "data/decoders.h"

namespace ptq::data {

using TiffHandle = std::unique_ptr<TIFF, void (*)(TIFF*)>;

/// A file in memory as libtiff reads it: it takes the bytes themselves where it can.
struct TiffMemory {
  const FileBytes& file;
  uint64_t at = 0;
};

/// Null where libtiff refuses it; what libtiff complains about, then and later, is in `message`,
/// which must live as long as the handle, like `memory`.
TiffHandle open_tiff(TiffMemory& memory, std::string& message);

}  // namespace ptq::data
