#include "passes/rounding/add_scaled.h"

#include "quant/vector_clones.h"

namespace ptq::passes {

PTQ_VECTOR_CLONES void add_scaled(float* to, const float* from, float factor, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] += factor * from[i];
}

PTQ_VECTOR_CLONES void add_scaled(double* to, const double* from, double factor, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] += factor * from[i];
}

}  // namespace ptq::passes
