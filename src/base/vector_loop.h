#pragma once

#include <utility>

namespace ptq {

/// How long vectors are that a loop is compiled for.
enum class VectorLength {
  kBaseline,  // what every processor of the architecture has
  kSse41,     // the same length, with rounding and products of 32 bits
  kAvx2,
  kAvx512,
};

/// The longest that may be used (base/cpu_isa.h). Found once.
VectorLength vector_length();

/// A loop that is compiled once for each vector length; a call runs the longest that may be used.
/// `Loop` is a lambda without captures, and what it calls is inlined into it. Its arithmetic is the
/// same at every length, except that a sum under `omp simd reduction` is added up in other orders.
///
///     constexpr VectorLoop scale = [](float* x, float factor, int64_t count) {
///       for (int64_t i = 0; i < count; ++i) x[i] *= factor;
///     };
template <class Loop>
class VectorLoop {
 public:
  constexpr VectorLoop(Loop loop) : loop_(loop) {}

  template <class... Arguments>
  auto operator()(Arguments&&... arguments) const {
#if defined(__x86_64__)
    switch (vector_length()) {
      case VectorLength::kAvx512:
        return with_avx512(loop_, std::forward<Arguments>(arguments)...);
      case VectorLength::kAvx2:
        return with_avx2(loop_, std::forward<Arguments>(arguments)...);
      case VectorLength::kSse41:
        return with_sse41(loop_, std::forward<Arguments>(arguments)...);
      case VectorLength::kBaseline:
        break;
    }
#endif
    return loop_(std::forward<Arguments>(arguments)...);
  }

 private:
#if defined(__x86_64__)
#define PTQ_COMPILED_FOR(name, instructions)                                 \
  template <class... Arguments>                                              \
  __attribute__((target(instructions), flatten, noinline)) static auto name( \
      Loop loop, Arguments&&... arguments) {                                 \
    return loop(std::forward<Arguments>(arguments)...);                      \
  }
  PTQ_COMPILED_FOR(with_avx512, "avx512f")
  PTQ_COMPILED_FOR(with_avx2, "avx2")
  PTQ_COMPILED_FOR(with_sse41, "sse4.1")
#undef PTQ_COMPILED_FOR
#endif

  Loop loop_;
};

}  // namespace ptq
