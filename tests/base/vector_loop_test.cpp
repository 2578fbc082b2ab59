#include "base/vector_loop.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/cpu_isa.h"

namespace ptq {
namespace {

using ::testing::ExitedWithCode;

constexpr VectorLoop divide_and_round = [](const float* in, float* out, int64_t count,
                                           const auto& step) {
  for (int64_t i = 0; i < count; ++i) out[i] = std::nearbyint(in[i] / step) * step;
};

constexpr VectorLoop sum_of = [](const float* in, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(in[i]);
  return sum;
};

std::vector<float> values() {
  std::vector<float> in;
  for (int i = 0; i < 1000; ++i) in.push_back(static_cast<float>(i * i % 977) / 31 - 15);
  return in;
}

TEST(VectorLoop, ComputesWhatItsBodySays) {
  const std::vector<float> in = values();
  std::vector<float> out(in.size());
  divide_and_round(in.data(), out.data(), static_cast<int64_t>(in.size()), 0.3F);
  double sum = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    ASSERT_EQ(out[i], std::nearbyint(in[i] / 0.3F) * 0.3F) << i;
    sum += static_cast<double>(in[i]);
  }
  EXPECT_EQ(sum_of(in.data(), static_cast<int64_t>(in.size())), sum);
}

/// In a process of its own, since the variable is read once: seven bits of a hash of what the loop
/// computes.
void exit_with_hash(const char* word) {
  setenv("PTQ_MAX_CPU_ISA", word, 1);
  const std::vector<float> in = values();
  std::vector<float> out(in.size());
  divide_and_round(in.data(), out.data(), static_cast<int64_t>(in.size()), 0.3F);
  uint32_t hash = 0;
  for (const float value : out) {
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    hash = (hash ^ bits) * 0x9E3779B1U;
  }
  std::exit(static_cast<int>(hash >> 25));
}

void exit_with_length(const char* word) {
  setenv("PTQ_MAX_CPU_ISA", word, 1);
  std::exit(static_cast<int>(vector_length()));
}

TEST(VectorLoopDeathTest, GivesTheSameBitsAtEveryLength) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::vector<float> in = values();
  uint32_t hash = 0;
  for (const float value : in) {
    const float rounded = std::nearbyint(value / 0.3F) * 0.3F;
    uint32_t bits = 0;
    std::memcpy(&bits, &rounded, sizeof(bits));
    hash = (hash ^ bits) * 0x9E3779B1U;
  }
  for (const char* word : {"SSE41", "AVX2", "AVX512_CORE"}) {
    EXPECT_EXIT(exit_with_hash(word), ExitedWithCode(static_cast<int>(hash >> 25)), "") << word;
  }
}

TEST(VectorLoopDeathTest, UsesNoLongerVectorsThanAllowed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto exits_with = [](CpuIsa isa, VectorLength length) {
    return ExitedWithCode(static_cast<int>(cpu_has(isa) ? length : VectorLength::kBaseline));
  };
  EXPECT_EXIT(exit_with_length("SSE41"), exits_with(CpuIsa::kSse41, VectorLength::kSse41), "");
  if (!cpu_has(CpuIsa::kAvx2)) GTEST_SKIP() << "the processor has no AVX2";
  EXPECT_EXIT(exit_with_length("AVX2"), exits_with(CpuIsa::kAvx2, VectorLength::kAvx2), "");
}

}  // namespace
}  // namespace ptq
