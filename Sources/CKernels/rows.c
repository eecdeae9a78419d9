#include "kernels.h"

#include "dispatched.h"

#include <math.h>

DISPATCHED void ck_add_bias(float *x, const float *bias, long rows, long columns) {
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) x[i * columns + j] += bias[j];
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
