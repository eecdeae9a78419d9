#include "kernels.h"
#include "lanes.h"

_Static_assert(ck_panel_width == lane_count, "a row of a panel is held in lanes");

long ck_packed_triangle_count(long n) {
    long count = 0;
    for (long first = 0; first < n; first += ck_panel_width) count += (n - first) * ck_panel_width;
    return count;
}

void ck_pack_triangle(const float *r, long n, float *packed) {
    for (long first = 0; first < n; first += ck_panel_width)
        for (long j = first; j < n; j++)
            for (long i = first; i < first + ck_panel_width; i++) *packed++ = i <= j && i < n ? r[i * n + j] : 0;
}

// ‖R x_b‖² of `count` vectors at once, a constant after inlining: each panel row is loaded once for all of
// them, and their sums stay in registers. A vector's additions do not depend on its neighbours. Meanwhile what is
// `next` comes into the cache, `step` bytes a panel row.
INLINE void block_squares(
    const float *packed, long n, const float *x, const int count, const char *next, long step, float *out) {
    lanes squares[8] = {0};
    for (long first = 0; first < n; first += ck_panel_width) {
        lanes products[8] = {0};
        for (long j = first; j < n; j++, packed += ck_panel_width, next += step) {
            const lanes row = *(const lanes *)packed;
            __builtin_prefetch(next, 0, 2);
#pragma clang loop unroll(full)
            for (int b = 0; b < count; b++) products[b] += row * x[b * n + j];
        }
#pragma clang loop unroll(full)
        for (int b = 0; b < count; b++) squares[b] += products[b] * products[b];
    }
    for (int b = 0; b < count; b++) {
        out[b] = 0;
        for (int i = 0; i < ck_panel_width; i++) out[b] += squares[b][i];
    }
}

DISPATCHED void ck_triangle_squares(const float *packed, long n, const float *x, long rows, float *out) {
    // R is read from memory by the first block of vectors and from the cache by the others, while memory would idle:
    // callers go through many triangles that lie one after the other, so the blocks of eight fetch the next one.
    const long size = ck_packed_triangle_count(n) * (long)sizeof *packed;
    const long step = (long)sizeof(lanes) / (rows < 8 ? 1 : rows / 8);
    const char *next = (const char *)packed + size;
    const long share = size / (long)sizeof(lanes) * step;
    long b = 0;
    for (; b + 8 <= rows; b += 8, next += share) block_squares(packed, n, x + b * n, 8, next, step, out + b);
    for (; b + 4 <= rows; b += 4) block_squares(packed, n, x + b * n, 4, next, 0, out + b);
    for (; b < rows; b++) block_squares(packed, n, x + b * n, 1, next, 0, out + b);
}
