#ifndef CLIP_LENS_LANES_H
#define CLIP_LENS_LANES_H

#include "dispatched.h"

// Sixteen numbers at any address: one register of the widest instruction set, several of the others. Functions take
// them by pointer, because passing them in registers would need the same instruction set on both sides.
enum { lane_count = 16 };
typedef float lanes __attribute__((vector_size(lane_count * sizeof(float)), aligned(sizeof(float))));
typedef int lane_masks __attribute__((vector_size(lane_count * sizeof(int)), aligned(sizeof(int))));

// x = y where x < y; not-a-numbers in x stay.
INLINE void raise_to(lanes *x, const lanes *y) {
    const lane_masks below = *x < *y;
    *x = (lanes)((below & (lane_masks)*y) | (~below & (lane_masks)*x));
}

// x = y where x > y; not-a-numbers in x stay.
INLINE void lower_to(lanes *x, const lanes *y) {
    const lane_masks above = *x > *y;
    *x = (lanes)((above & (lane_masks)*y) | (~above & (lane_masks)*x));
}

// exp(x) to about 1 ulp: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial for exp(r), and n added to the exponent.
INLINE void exponential(lanes *values) {
    const lanes zero = {0}, least = zero - 87.0f, most = zero + 88.0f;
    lanes x = *values;
    raise_to(&x, &least);
    lower_to(&x, &most);
    const float shifter = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    const lanes n = (x * 1.44269504088896341f + shifter) - shifter;
    lanes r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    lanes p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    *values = p * (lanes)((__builtin_convertvector(n, lane_masks) + 127) << 23);
}

#endif
