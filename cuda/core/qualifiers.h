// Words for code that both compilers see.
#pragma once

#if defined(__CUDACC__)
#define PHYSOLVE_HD __host__ __device__ inline
#define PHYSOLVE_HD_INLINED __host__ __device__ __forceinline__  // a call would put its object's registers into memory
#define PHYSOLVE_UNROLL _Pragma("unroll")
#define PHYSOLVE_ROLLED _Pragma("unroll 1")
#define PHYSOLVE_INLINE
#else
#define PHYSOLVE_HD inline
#define PHYSOLVE_HD_INLINED inline
#define PHYSOLVE_UNROLL _Pragma("GCC unroll 8")
#define PHYSOLVE_ROLLED
#define PHYSOLVE_INLINE __attribute__((always_inline))  // on the lambda of a hot loop: its captures then are registers
#endif
