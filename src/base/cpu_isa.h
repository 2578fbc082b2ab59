#pragma once

#include <string_view>

namespace ptq {

/// Instruction sets that kernels of this project are written for, each with those before it, except
/// that a processor with AVX-512 need not have AVX-VNNI, nor one with AVX-VNNI AVX-512.
enum class CpuIsa {
  kBaseline,    // what every processor of the architecture has
  kSse41,       // SSE 4.1
  kAvx2,        // AVX2 and FMA
  kAvx2Vnni,    // AVX-VNNI: 8-bit products summed in 32 bits, 256 bits wide
  kAvx512,      // AVX-512 F, BW, DQ and VL
  kAvx512Vnni,  // AVX-512 VNNI
};

/// Whether the processor and the operating system have `isa`.
bool cpu_has(CpuIsa isa);

/// The largest instruction set that a word allows: one of oneDNN's for ONEDNN_MAX_CPU_ISA (SSE41,
/// AVX, AVX2, AVX2_VNNI, AVX512_CORE, AVX512_CORE_VNNI, what comes after it, ALL or DEFAULT), in
/// upper or lower case. ConfigError for any other.
CpuIsa largest_cpu_isa(std::string_view word);

/// Whether kernels of this project may use `isa`: the processor has it, and it is not beyond the
/// word in the environment variable PTQ_MAX_CPU_ISA, which is read once. ConfigError if that word
/// is unknown; programs ask once when they start, so kernels can count on none.
bool may_use(CpuIsa isa);

/// The largest instruction set that may be used.
CpuIsa allowed_isa();

}  // namespace ptq
