#include "passes/rounding/add_scaled.h"

#include "base/vector_loop.h"

namespace ptq::passes {
namespace {

constexpr VectorLoop add_scaled_loop = [](auto* to, const auto* from, auto factor, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] += factor * from[i];
};

}  // namespace

void add_scaled(float* to, const float* from, float factor, int64_t count) {
  add_scaled_loop(to, from, factor, count);
}

void add_scaled(double* to, const double* from, double factor, int64_t count) {
  add_scaled_loop(to, from, factor, count);
}

void add_scaled(double* to, const float* from, double factor, int64_t count) {
  add_scaled_loop(to, from, factor, count);
}

}  // namespace ptq::passes
