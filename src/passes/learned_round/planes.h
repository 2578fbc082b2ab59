#pragma once

namespace ptq::passes {

/// How values of four dimensions lie in memory; others are row-major.
enum class Planes { kRowMajor, kChannelsLast };

}  // namespace ptq::passes
