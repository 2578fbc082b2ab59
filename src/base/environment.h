#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What results depend on beside their inputs, as text for the key of a cache.
namespace ptq {

/// The build ids of the libraries that are loaded and whose file names begin with one of `names`.
/// A library without one is known by its file's size and time.
std::string builds_of(const std::vector<std::string_view>& names);

/// What the last bits of a float result may depend on: the builds of this program and of all that
/// is loaded, the kind of processor and its instruction sets, and environment variables that choose
/// kernels.
std::string float_environment();

}  // namespace ptq
