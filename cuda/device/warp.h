// Products of fragments: 16 x 8 times 8 x 8 numbers, spread over the 32 lanes of a warp as the tensor cores want them.
//
// Lane (g, t), g = lane / 4, t = lane % 4, holds A(g, t), A(g + 8, t), A(g, t + 4), A(g + 8, t + 4); B(t, g),
// B(t + 4, g); C(g, 2t), C(g, 2t + 1), C(g + 8, 2t), C(g + 8, 2t + 1).
//
// Tensor cores take numbers of 11 bits (tf32). A float is big + small, both of 11 bits, but for its last bit at times;
// of the four products small * small is left out, 2^-22 of the whole at most (3xTF32, as CUTLASS calls it).
#pragma once

#include <cstdint>
#include <cstring>

#include "../core/qualifiers.h"

namespace physolve {

// The nearest number of 11 bits.
PHYSOLVE_HD float to_tf32(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  bits = (bits + 0x1000u) & ~0x1fffu;  // the compiler's own way takes twice as many instructions, for NaN: see Fragment
  std::memcpy(&value, &bits, sizeof(bits));
  return value;
}

template <int count>
struct Fragment {
  float big[count], small[count];

  PHYSOLVE_HD void set(int k, float value) {
    big[k] = to_tf32(value);
    small[k] = value - big[k];  // what it has beyond 11 bits the tensor cores cut off; NaN where value is not finite
  }
};

// Warp `own` of a block's `warps`, two to fifteen where they have turns: in their order, again and again.
struct DeviceWarp {
  int lane, own, warps;

  PHYSOLVE_HD void sync() const {
#if defined(__CUDA_ARCH__)
    __syncwarp();
#endif
  }

  // What warps did before they passed the turn on is done for those that waited for it. Each of these barriers (0 is the
  // block's) is for the warp that waits and the one before it.
  PHYSOLVE_HD void wait_for_turn() const {
#if defined(__CUDA_ARCH__)
    asm volatile("bar.sync %0, 64;" ::"r"(1 + own) : "memory");
#endif
  }

  PHYSOLVE_HD void pass_turn() const {
    sync();  // all lanes together, as the barrier wants them
#if defined(__CUDA_ARCH__)
    asm volatile("bar.arrive %0, 64;" ::"r"(own + 1 < warps ? 2 + own : 1) : "memory");
#endif
  }

  // C + `small` += A B, the small products to `small`, which may be C. An addition on tensor cores cuts off: where C is
  // large, each takes half of its last bit away on average.
  PHYSOLVE_HD void multiply_add(float (&c)[4], float (&small)[4], const Fragment<4>& a, const Fragment<2>& b) const {
    once(small, a.small, b.big);
    once(small, a.big, b.small);
    once(c, a.big, b.big);
  }

 private:
  static PHYSOLVE_HD void once(float (&c)[4], const float (&a)[4], const float (&b)[2]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    const auto bits = [](float value) { return __float_as_uint(value); };
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(bits(a[0])), "r"(bits(a[1])), "r"(bits(a[2])), "r"(bits(a[3])), "r"(bits(b[0])), "r"(bits(b[1])));
#endif
  }
};

}  // namespace physolve
