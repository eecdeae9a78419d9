#include "kernels.h"
#include "lanes.h"

#include <string.h>

INLINE float largest_lane(const lanes *x) {
    float largest[8];
    for (int i = 0; i < 8; i++) largest[i] = (*x)[i] < (*x)[i + 8] ? (*x)[i + 8] : (*x)[i];
    for (int half = 4; half > 0; half /= 2)
        for (int i = 0; i < half; i++) largest[i] = largest[i] < largest[i + half] ? largest[i + half] : largest[i];
    return largest[0];
}

INLINE float sum_of_lanes(const lanes *x) {
    float sums[8];
    for (int i = 0; i < 8; i++) sums[i] = (*x)[i] + (*x)[i + 8];
    for (int half = 4; half > 0; half /= 2)
        for (int i = 0; i < half; i++) sums[i] += sums[i + half];
    return sums[0];
}

// A row's last lanes overlap those before, so that no remainder is left to a slower loop; what they share is summed once.
INLINE void softmax_row(float *row, long count, float scale) {
    static const float counted[2 * lane_count] = {[lane_count ... 2 * lane_count - 1] = 1};
    // A row that is shorter than the lanes stands at their end, behind copies of its first number: slower than a plain loop,
    // but texts spend less than a hundredth of their time on it.
    float few[lane_count];
    if (count < lane_count)
        for (long i = 0; i < lane_count; i++) few[i] = row[i < lane_count - count ? 0 : i - (lane_count - count)];
    lanes *const end = (lanes *)(count < lane_count ? few : row + count - lane_count);
    const long whole = count / lane_count * lane_count;

    lanes last = *end, largest = last;
    for (long j = 0; j < whole; j += lane_count) raise_to(&largest, (const lanes *)(row + j));
    const float most = largest_lane(&largest);

    last = scale * (last - most);
    exponential(&last);
    lanes sums = last * *(const lanes *)(counted + (count - whole));
    for (long j = 0; j < whole; j += lane_count) {
        lanes x = scale * (*(const lanes *)(row + j) - most);
        exponential(&x);
        *(lanes *)(row + j) = x;
        sums += x;
    }
    const float inverse = 1.0f / sum_of_lanes(&sums);
    for (long j = 0; j < whole; j += lane_count) *(lanes *)(row + j) *= inverse;
    *end = last * inverse;
    if (count < lane_count) memcpy(row, few + lane_count - count, (size_t)count * sizeof(float));
}

DISPATCHED void ck_softmax(float *x, long rows, long columns, float scale, int causal) {
    for (long i = 0; i < rows; i++) {
        float *row = x + i * columns;
        const long visible = causal ? i + 1 : columns;
        softmax_row(row, visible, scale);
        if (visible < columns) memset(row + visible, 0, (size_t)(columns - visible) * sizeof(float));
    }
}
