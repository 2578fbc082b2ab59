#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ptq::import {

/// Bytes of one element of a storage class as pickles name it ("torch FloatStorage"); nothing for a
/// class that holds no plain numbers.
std::optional<int64_t> element_bytes(std::string_view storage_class);

}  // namespace ptq::import
