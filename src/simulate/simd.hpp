#pragma once

/// Marks a function with hot loops: compiled for several instruction sets, the best is chosen when the
/// program starts. Off under sanitizers, whose runtime is not up yet when the choice is made.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define KINETUNE_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KINETUNE_SIMD
#endif
