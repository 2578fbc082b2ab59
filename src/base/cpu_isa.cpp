#include "base/cpu_isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string>

#include "ptq/base/error.h"

namespace ptq {
namespace {

struct Word {
  std::string_view word;
  CpuIsa largest;
};

// AVX alone has no kernels here. After AVX512_CORE_VNNI come types that no kernel here computes in.
constexpr std::array<Word, 14> kWords = {{
    {"SSE41", CpuIsa::kSse41},
    {"AVX", CpuIsa::kSse41},
    {"AVX2", CpuIsa::kAvx2},
    {"AVX2_VNNI", CpuIsa::kAvx2Vnni},
    {"AVX2_VNNI_2", CpuIsa::kAvx2Vnni},
    {"AVX512_CORE", CpuIsa::kAvx512},
    {"AVX512_CORE_VNNI", CpuIsa::kAvx512Vnni},
    {"AVX512_CORE_BF16", CpuIsa::kAvx512Vnni},
    {"AVX512_CORE_FP16", CpuIsa::kAvx512Vnni},
    {"AVX512_CORE_AMX", CpuIsa::kAvx512Vnni},
    {"AVX512_CORE_AMX_FP16", CpuIsa::kAvx512Vnni},
    {"AVX10_1_512", CpuIsa::kAvx512Vnni},
    {"ALL", CpuIsa::kAvx512Vnni},
    {"DEFAULT", CpuIsa::kAvx512Vnni},
}};

#if defined(__x86_64__)
/// Leaf 7, subleaf 1 of cpuid, bit 4 of eax. Not every compiler has a word for it.
bool has_avx_vnni() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & (1U << 4)) != 0;
}
#endif

CpuIsa limit_of_environment() {
  const char* word = std::getenv("PTQ_MAX_CPU_ISA");
  return word == nullptr || *word == '\0' ? CpuIsa::kAvx512Vnni : largest_cpu_isa(word);
}

}  // namespace

bool cpu_has(CpuIsa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case CpuIsa::kBaseline:
      return true;
    case CpuIsa::kSse41:
      return __builtin_cpu_supports("sse4.1") != 0;
    case CpuIsa::kAvx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    case CpuIsa::kAvx2Vnni:
      return cpu_has(CpuIsa::kAvx2) && has_avx_vnni();
    case CpuIsa::kAvx512:
      return cpu_has(CpuIsa::kAvx2) && __builtin_cpu_supports("avx512f") != 0 &&
             __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
             __builtin_cpu_supports("avx512vl") != 0;
    case CpuIsa::kAvx512Vnni:
      return cpu_has(CpuIsa::kAvx512) && __builtin_cpu_supports("avx512vnni") != 0;
  }
#endif
  return isa == CpuIsa::kBaseline;
}

CpuIsa largest_cpu_isa(std::string_view word) {
  std::string upper(word);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const Word& known : kWords) {
    if (known.word == upper) return known.largest;
  }
  std::string words;
  for (const Word& known : kWords) words += (words.empty() ? "" : ", ") + std::string(known.word);
  throw ConfigError("PTQ_MAX_CPU_ISA is " + std::string(word) + ", which is none of " + words);
}

bool may_use(CpuIsa isa) {
  static const CpuIsa limit = limit_of_environment();
  return isa <= limit && cpu_has(isa);
}

CpuIsa allowed_isa() {
  for (const CpuIsa isa :
       {CpuIsa::kAvx512Vnni, CpuIsa::kAvx512, CpuIsa::kAvx2Vnni, CpuIsa::kAvx2, CpuIsa::kSse41}) {
    if (may_use(isa)) return isa;
  }
  return CpuIsa::kBaseline;
}

}  // namespace ptq
