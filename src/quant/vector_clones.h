#pragma once

/// Compiles a loop once for each vector length and picks when the program starts.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define PTQ_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define PTQ_VECTOR_CLONES
#endif
