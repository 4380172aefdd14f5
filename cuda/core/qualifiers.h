// Words for code that both compilers see.
#pragma once

#if defined(__CUDACC__)
#define PHYSOLVE_HD __host__ __device__ inline
#define PHYSOLVE_UNROLL _Pragma("unroll")
#define PHYSOLVE_UNROLL_ROWS _Pragma("unroll P::unrolled")  // in a template over the pattern P
#define PHYSOLVE_UNROLL_TWICE _Pragma("unroll 2")
#define PHYSOLVE_CALL __host__ __device__ __noinline__      // large, and called from many places
#define PHYSOLVE_INLINE
#else
#define PHYSOLVE_HD inline
#define PHYSOLVE_UNROLL _Pragma("GCC unroll 8")
#define PHYSOLVE_UNROLL_ROWS PHYSOLVE_UNROLL
#define PHYSOLVE_UNROLL_TWICE
#define PHYSOLVE_CALL
#define PHYSOLVE_INLINE __attribute__((always_inline))  // on the lambda of a hot loop: its captures then are registers
#endif
