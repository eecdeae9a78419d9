#include "kernels.h"
#include "lanes.h"

INLINE void quick_gelu(lanes *x) {
    lanes e = *x * -1.702f;
    exponential(&e);
    *x = *x / (1.0f + e);
}

// 1 - erf(x) for x >= 0 is a polynomial in t = 1 / (1 + 0.3275911 x) times exp(-x^2), to 1.5e-7 (Abramowitz and
// Stegun, 7.1.26); of a negative number what remains is that itself, so that nothing cancels.
INLINE void gelu(lanes *x) {
    const lanes v = *x;
    const lane_masks negative = v < 0;
    const lanes z = (lanes)((lane_masks)v & 0x7FFFFFFF) * 0.70710678118654752f;
    const lanes t = 1.0f / (1.0f + 0.3275911f * z);
    lanes p = 1.061405429f * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    lanes e = -z * z;
    exponential(&e);
    const lanes beyond = 0.5f * p * t * e, within = 1.0f - beyond;
    *x = v * (lanes)((negative & (lane_masks)beyond) | (~negative & (lane_masks)within));
}

INLINE void add_bias_and_apply(void (*activation)(lanes *), float *x, const float *bias, long rows, long columns) {
    const long whole = columns / lane_count * lane_count;
    for (long i = 0; i < rows; i++) {
        float *row = x + i * columns;
        for (long j = 0; j < whole; j += lane_count) {
            lanes v = *(const lanes *)(row + j) + *(const lanes *)(bias + j);
            activation(&v);
            *(lanes *)(row + j) = v;
        }
        lanes rest = {0};
        for (long j = whole; j < columns; j++) rest[j - whole] = row[j] + bias[j];
        if (whole < columns) activation(&rest);
        for (long j = whole; j < columns; j++) row[j] = rest[j - whole];
    }
}

DISPATCHED void ck_bias_quick_gelu(float *x, const float *bias, long rows, long columns) {
    add_bias_and_apply(quick_gelu, x, bias, rows, columns);
}

DISPATCHED void ck_bias_gelu(float *x, const float *bias, long rows, long columns) {
    add_bias_and_apply(gelu, x, bias, rows, columns);
}
