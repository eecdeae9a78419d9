#include "dispatched.h"
#include "kernels.h"

#include <math.h>

// Eight numbers, at any address.
typedef float eight_floats __attribute__((vector_size(8 * sizeof(float)), aligned(sizeof(float))));
typedef double eight_doubles __attribute__((vector_size(8 * sizeof(double)), aligned(sizeof(double))));

DISPATCHED float ck_largest_magnitude(const float *x, long count) {
#pragma clang fp reassociate(on)
    float largest = 0;
    for (long i = 0; i < count; i++) {
        const float magnitude = fabsf(x[i]);
        largest = magnitude > largest ? magnitude : largest;
    }
    return largest;
}

// Products of `count` atoms at once, a constant after inlining: x is loaded once for all of them. An atom's
// additions do not depend on its neighbours.
INLINE void block_products(
    const float *dictionary, long d, const int *atoms, const int count, const double *x, double *out) {
    const float *rows[4];
    eight_doubles sums[4] = {0};
    for (int j = 0; j < count; j++) rows[j] = dictionary + (long)atoms[j] * d;
    long i = 0;
    for (; i + 8 <= d; i += 8) {
        const eight_doubles values = *(const eight_doubles *)(x + i);
#pragma clang loop unroll(full)
        for (int j = 0; j < count; j++)
            sums[j] += __builtin_convertvector(*(const eight_floats *)(rows[j] + i), eight_doubles) * values;
    }
    for (int j = 0; j < count; j++) {
        out[j] = 0;
        for (int lane = 0; lane < 8; lane++) out[j] += sums[j][lane];
        for (long rest = i; rest < d; rest++) out[j] += (double)rows[j][rest] * x[rest];
    }
}

INLINE void atom_products(
    const float *dictionary, long d, const int *atoms, long count, const double *x, double *out) {
    long j = 0;
    for (; j + 4 <= count; j += 4) block_products(dictionary, d, atoms + j, 4, x, out + j);
    for (; j < count; j++) block_products(dictionary, d, atoms + j, 1, x, out + j);
}

DISPATCHED void ck_atom_products(const float *dictionary, long d, const int *atoms, long count, const double *x,
                                 double *out) {
    atom_products(dictionary, d, atoms, count, x, out);
}

// x −= Σ_j weights[j] a_j for four atoms.
INLINE void subtract_four(
    const float *dictionary, long d, const int *atoms, const double *weights, double *x) {
    const float *a = dictionary + (long)atoms[0] * d, *b = dictionary + (long)atoms[1] * d;
    const float *c = dictionary + (long)atoms[2] * d, *e = dictionary + (long)atoms[3] * d;
    for (long i = 0; i < d; i++) x[i] -= (weights[0] * a[i] + weights[1] * b[i]) + (weights[2] * c[i] + weights[3] * e[i]);
}

DISPATCHED void ck_orthogonalise(const float *dictionary, long d, const int *atoms, long k, const double *triangle,
                                 const double *inverse_squares, double *x, double *combination, double *scratch) {
#pragma clang fp reassociate(on)
    double *products = scratch, *weights = scratch + k;
    atom_products(dictionary, d, atoms, k, x, products);
    for (long i = 0; i < k; i++) weights[i] = 0;
    const double *row = triangle;
    for (long i = 0; i < k; row += ++i) {
        double along = 0;
        for (long j = 0; j <= i; j++) along += row[j] * products[j];
        along *= inverse_squares[i];
        for (long j = 0; j <= i; j++) weights[j] += along * row[j];
    }
    for (long j = 0; j < k; j++) combination[j] += weights[j];
    long j = 0;
    for (; j + 4 <= k; j += 4) subtract_four(dictionary, d, atoms + j, weights + j, x);
    for (; j < k; j++) {
        const float *atom = dictionary + (long)atoms[j] * d;
        for (long i = 0; i < d; i++) x[i] -= weights[j] * atom[i];
    }
}

DISPATCHED double ck_update_residual(double *residual, const double *x, double scale, long d, float *rounded) {
#pragma clang fp reassociate(on)
    double square = 0;
    for (long i = 0; i < d; i++) {
        residual[i] -= scale * x[i];
        rounded[i] = (float)residual[i];
        square += residual[i] * residual[i];
    }
    return square;
}
