#include "base/vector_loop.h"

#include "base/cpu_isa.h"

namespace ptq {

VectorLength vector_length() {
  static const VectorLength longest = may_use(CpuIsa::kAvx512)  ? VectorLength::kAvx512
                                      : may_use(CpuIsa::kAvx2)  ? VectorLength::kAvx2
                                      : may_use(CpuIsa::kSse41) ? VectorLength::kSse41
                                                                : VectorLength::kBaseline;
  return longest;
}

}  // namespace ptq
