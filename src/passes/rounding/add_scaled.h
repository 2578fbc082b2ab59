#pragma once

#include <cstdint>

namespace ptq::passes {

/// to += factor from, over `count` numbers.
void add_scaled(float* to, const float* from, float factor, int64_t count);
void add_scaled(double* to, const double* from, double factor, int64_t count);
void add_scaled(double* to, const float* from, double factor, int64_t count);

}  // namespace ptq::passes
