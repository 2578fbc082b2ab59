#include "base/cpu_isa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "ptq/base/error.h"

namespace ptq {
namespace {

using ::testing::ExitedWithCode;
using ::testing::HasSubstr;

TEST(LargestCpuIsa, FollowsTheWordsOfOneDnn) {
  EXPECT_EQ(largest_cpu_isa("SSE41"), CpuIsa::kSse41);
  EXPECT_EQ(largest_cpu_isa("avx2"), CpuIsa::kAvx2);
  EXPECT_EQ(largest_cpu_isa("AVX2_VNNI"), CpuIsa::kAvx2Vnni);
  EXPECT_EQ(largest_cpu_isa("AVX512_CORE"), CpuIsa::kAvx512);
  EXPECT_EQ(largest_cpu_isa("AVX512_CORE_VNNI"), CpuIsa::kAvx512Vnni);
  EXPECT_EQ(largest_cpu_isa("AVX512_CORE_AMX"), CpuIsa::kAvx512Vnni);
  EXPECT_EQ(largest_cpu_isa("ALL"), CpuIsa::kAvx512Vnni);
}

TEST(LargestCpuIsa, RefusesAnUnknownWordWithThoseThereAre) {
  try {
    largest_cpu_isa("AVX3");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("PTQ_MAX_CPU_ISA is AVX3"));
    EXPECT_THAT(error.what(), HasSubstr("AVX512_CORE_VNNI"));
  }
}

/// The exit code is the largest instruction set allowed with `word` in the environment. In a
/// process of its own, since the variable is read once.
void exit_with_allowed_isa(const char* word) {
  setenv("PTQ_MAX_CPU_ISA", word, 1);
  std::exit(static_cast<int>(allowed_isa()));
}

CpuIsa largest_of_processor(CpuIsa limit) {
  CpuIsa largest = CpuIsa::kBaseline;
  for (const CpuIsa isa :
       {CpuIsa::kSse41, CpuIsa::kAvx2, CpuIsa::kAvx2Vnni, CpuIsa::kAvx512, CpuIsa::kAvx512Vnni}) {
    if (isa <= limit && cpu_has(isa)) largest = isa;
  }
  return largest;
}

TEST(AllowedIsaDeathTest, IsTheSmallerOfProcessorAndEnvironment) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto exits_with = [](CpuIsa isa) { return ExitedWithCode(static_cast<int>(isa)); };
  for (const char* word : {"SSE41", "AVX2", "AVX512_CORE", "AVX512_CORE_VNNI"}) {
    EXPECT_EXIT(exit_with_allowed_isa(word),
                exits_with(largest_of_processor(largest_cpu_isa(word))), "")
        << word;
  }
  EXPECT_EXIT(exit_with_allowed_isa(""), exits_with(largest_of_processor(CpuIsa::kAvx512Vnni)), "");
}

}  // namespace
}  // namespace ptq
