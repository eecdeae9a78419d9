#include "kernels.h"

#include "dispatched.h"

#include <string.h>

// A sum of bytes, each times a weight with 22 bits behind the point, fits 32 bits as long as the weights
// are those of a filter: their magnitudes add up to less than 2.
enum { precision = 22 };

INLINE unsigned char to_byte(int sum) {
    const int value = sum >> precision;
    return (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value);
}

typedef int four_ints __attribute__((vector_size(16)));
typedef unsigned char four_bytes __attribute__((vector_size(4)));

// One pixel by a vector of four numbers, the last of which belongs to the next pixel and is not used.
INLINE void mix_pixel(const unsigned char *pixels, const int *weights, int count, unsigned char *out) {
    const int half = 1 << (precision - 1);
    four_ints sum = {half, half, half, half};
    for (int k = 0; k < count; k++) {
        four_bytes bytes;
        memcpy(&bytes, pixels + 3 * k, 4);
        sum += __builtin_convertvector(bytes, four_ints) * weights[k];
    }
    for (int c = 0; c < 3; c++) out[c] = to_byte(sum[c]);
}

// The same without reading a byte behind the pixels.
static inline void mix_last_pixel(const unsigned char *pixels, const int *weights, int count, unsigned char *out) {
    for (int c = 0; c < 3; c++) {
        int sum = 1 << (precision - 1);
        for (int k = 0; k < count; k++) sum += pixels[3 * k + c] * weights[k];
        out[c] = to_byte(sum);
    }
}

DISPATCHED void ck_resample_columns(const unsigned char *rgb, long width, long rows, const int *starts,
                                    const int *counts, const int *weights, long taps, long columns,
                                    unsigned char *out) {
    for (long y = 0; y < rows; y++, rgb += 3 * width) {
        for (long x = 0; x < columns; x++, out += 3) {
            const unsigned char *pixels = rgb + 3 * (long)starts[x];
            if (y + 1 < rows)
                mix_pixel(pixels, weights + x * taps, counts[x], out);
            else
                mix_last_pixel(pixels, weights + x * taps, counts[x], out);
        }
    }
}

DISPATCHED void ck_resample_rows(const unsigned char *pixels, long row_bytes, const int *starts, const int *counts,
                                 const int *weights, long taps, long rows, unsigned char *out) {
    enum { block = 64 };
    for (long y = 0; y < rows; y++, out += row_bytes) {
        const unsigned char *first = pixels + (long)starts[y] * row_bytes;
        const int *share = weights + y * taps;
        for (long x = 0; x < row_bytes; x += block) {
            const long width = row_bytes - x < block ? row_bytes - x : block;
            int sums[block];
            for (long i = 0; i < width; i++) sums[i] = 1 << (precision - 1);
            for (int k = 0; k < counts[y]; k++)
                for (long i = 0; i < width; i++) sums[i] += first[k * row_bytes + x + i] * share[k];
            for (long i = 0; i < width; i++) out[x + i] = to_byte(sums[i]);
        }
    }
}
