#include "kernels.h"

#include "dispatched.h"

#include <math.h>
#include <string.h>

// exp(x) to about 1 ulp: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial for exp(r), and n added to
// the exponent. Written without branches or library calls so that loops over it vectorise.
static inline __attribute__((always_inline)) float vector_exp(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    const float shifter = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    float shifted = x * 1.44269504088896341f + shifter;
    float n = shifted - shifter;
    float r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    union { float f; unsigned u; } scale;
    scale.u = ((unsigned)((int)n + 127)) << 23;
    return p * scale.f;
}

DISPATCHED void ck_add_bias(float *x, const float *bias, long rows, long columns) {
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) x[i * columns + j] += bias[j];
}

DISPATCHED void ck_bias_quick_gelu(float *x, const float *bias, long rows, long columns) {
    for (long i = 0; i < rows; i++) {
        float *row = x + i * columns;
        for (long j = 0; j < columns; j++) {
            float v = row[j] + bias[j];
            row[j] = v / (1.0f + vector_exp(-1.702f * v));
        }
    }
}

// 1 - erf(x) for x >= 0 is a polynomial in t = 1 / (1 + 0.3275911 x) times exp(-x^2), to 1.5e-7 (Abramowitz and
// Stegun, 7.1.26); of a negative number what remains is that itself, so that nothing cancels.
DISPATCHED void ck_bias_gelu(float *x, const float *bias, long rows, long columns) {
    for (long i = 0; i < rows; i++) {
        float *row = x + i * columns;
        for (long j = 0; j < columns; j++) {
            const float v = row[j] + bias[j];
            const float z = fabsf(v) * 0.70710678118654752f;
            const float t = 1.0f / (1.0f + 0.3275911f * z);
            float p = 1.061405429f;
            p = p * t - 1.453152027f;
            p = p * t + 1.421413741f;
            p = p * t - 0.284496736f;
            p = p * t + 0.254829592f;
            const float beyond = 0.5f * p * t * vector_exp(-z * z);
            row[j] = v * (v < 0 ? beyond : 1.0f - beyond);
        }
    }
}

DISPATCHED void ck_layer_norm(const float *x, const float *gamma, const float *beta, float epsilon,
                              long rows, long columns, float *out, float *mean, float *sigma) {
#pragma clang fp reassociate(on)
    for (long i = 0; i < rows; i++) {
        const float *row = x + i * columns;
        float sum = 0;
        for (long j = 0; j < columns; j++) sum += row[j];
        const float m = sum / (float)columns;
        // Two passes: the one-pass variance loses digits where |mean| is large against the spread.
        float squares = 0;
        for (long j = 0; j < columns; j++) squares += (row[j] - m) * (row[j] - m);
        const float s = sqrtf(squares / (float)columns + epsilon);
        mean[i] = m;
        sigma[i] = s;
        const float inverse = 1.0f / s;
        float *target = out + i * columns;
        for (long j = 0; j < columns; j++) target[j] = (row[j] - m) * inverse * gamma[j] + beta[j];
    }
}

DISPATCHED void ck_softmax(float *x, long rows, long columns, float scale, int causal) {
#pragma clang fp reassociate(on)
    for (long i = 0; i < rows; i++) {
        float *row = x + i * columns;
        const long visible = causal ? i + 1 : columns;
        float largest = row[0];
        for (long j = 0; j < visible; j++) largest = row[j] > largest ? row[j] : largest;
        float sum = 0;
        for (long j = 0; j < visible; j++) {
            row[j] = vector_exp(scale * (row[j] - largest));
            sum += row[j];
        }
        const float inverse = 1.0f / sum;
        for (long j = 0; j < visible; j++) row[j] *= inverse;
        memset(row + visible, 0, (size_t)(columns - visible) * sizeof(float));
    }
}

DISPATCHED void ck_row_squares(const float *x, long rows, long columns, long stride, float *out) {
#pragma clang fp reassociate(on)
    for (long i = 0; i < rows; i++) {
        const float *row = x + i * stride;
        float sum = 0;
        for (long j = 0; j < columns; j++) sum += row[j] * row[j];
        out[i] = sum;
    }
}

DISPATCHED void ck_subtract_row(float *x, const float *row, long rows, long columns) {
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) x[i * columns + j] -= row[j];
}
