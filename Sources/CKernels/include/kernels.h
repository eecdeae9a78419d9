#ifndef CLIP_LENS_KERNELS_H
#define CLIP_LENS_KERNELS_H

#include <stdint.h>

// Elementwise and row-wise loops of a transformer. They are C because Swift compiles for SSE2 only,
// while each of these is compiled for several instruction sets and chosen by CPU at load time.
// All matrices are row-major; a row starts every `stride` floats.

/// x[i][j] += bias[j]
void ck_add_bias(float *x, const float *bias, long rows, long columns);

/// x[i][j] = quickGELU(x[i][j] + bias[j]), quickGELU(v) = v / (1 + exp(-1.702 v))
void ck_bias_quick_gelu(float *x, const float *bias, long rows, long columns);

/// x[i][j] = gelu(x[i][j] + bias[j]), gelu(v) = v (1 + erf(v / sqrt 2)) / 2, to 2e-7 |v|
void ck_bias_gelu(float *x, const float *bias, long rows, long columns);

/// out = gamma (x - mean) / sigma + beta by row, sigma = sqrt(variance + epsilon);
/// mean and sigma are written for every row.
void ck_layer_norm(const float *x, const float *gamma, const float *beta, float epsilon, long rows,
                   long columns, float *out, float *mean, float *sigma);

/// Rows of scale·x become their softmax, scale > 0. With `causal`, row i sees columns 0...i, the rest become 0.
/// columns >= 1; with `causal`, rows <= columns.
void ck_softmax(float *x, long rows, long columns, float scale, int causal);

/// x[i][j] -= row[j]
void ck_subtract_row(float *x, const float *row, long rows, long columns);

/// out[i] = sum_j x[i][j]²
void ck_row_squares(const float *x, long rows, long columns, long stride, float *out);

/// Rows of the panels that hold an upper triangle: a panel has the columns of `ck_panel_width` rows of R
/// as its rows, from the diagonal on, so that zeros below the diagonal are neither kept nor multiplied.
enum { ck_panel_width = 16 };

/// Floats of a packed upper triangle. // n × n
long ck_packed_triangle_count(long n);

/// Packs an upper triangle; what stands below its diagonal is taken for zero. // r [n, n]
void ck_pack_triangle(const float *r, long n, float *packed);

/// out[b] = ‖R x_b‖², R packed. // x [rows, n]
void ck_triangle_squares(const float *packed, long n, const float *x, long rows, float *out);

/// The upper halves of the numbers as they round to the nearest bfloat16, ties to even; a NaN stays one.
void ck_round_to_bfloat16(const float *x, long count, uint16_t *y);

/// The largest magnitude; not-a-numbers are passed over, and without any number it is zero.
float ck_largest_magnitude(const float *x, long count);

/// out[j] = ⟨a_j, x⟩ in double precision, a_j = dictionary[atoms[j]]. The bytes of out[j] depend on a_j
/// and x only, so equal atoms have equal products. // dictionary [·, d], atoms [count], x [d]
void ck_atom_products(const float *dictionary, long d, const int *atoms, long count, const double *x, double *out);

/// x = x − A⁺A x, what is orthogonal to the k chosen atoms (the rows of A), and combination += the
/// coefficients of the part taken away. Orthogonalising those atoms in their order gave rows Σ_j U[i][j] a_j
/// of squared lengths 1/inverse_squares[i], U lower triangular with its rows end to end; scratch is [2 k].
void ck_orthogonalise(const float *dictionary, long d, const int *atoms, long k, const double *triangle,
                      const double *inverse_squares, double *x, double *combination, double *scratch);

/// residual −= scale·x, rounded = residual in single precision; returns ‖residual‖².
double ck_update_residual(double *residual, const double *x, double scale, long d, float *rounded);

/// Antialiased resizing of RGB bytes in one direction with weights of 22 bits behind the point, as Pillow does
/// it: out[y][x] = sum_k weights[x][k] rgb[y][starts[x] + k] over counts[x] pixels, rounded and clipped.
/// // rgb [rows, width, 3], starts and counts [columns], weights [columns, taps], out [rows, columns, 3]
void ck_resample_columns(const unsigned char *rgb, long width, long rows, const int *starts, const int *counts,
                         const int *weights, long taps, long columns, unsigned char *out);

/// out[y][i] = sum_k weights[y][k] pixels[starts[y] + k][i] over counts[y] rows, rounded and clipped.
/// // pixels [·, row_bytes], starts and counts [rows], weights [rows, taps], out [rows, row_bytes]
void ck_resample_rows(const unsigned char *pixels, long row_bytes, const int *starts, const int *counts,
                      const int *weights, long taps, long rows, unsigned char *out);

#endif
