#include "dispatched.h"
#include "kernels.h"

#include <string.h>

DISPATCHED void ck_round_to_bfloat16(const float *x, long count, uint16_t *y) {
    for (long i = 0; i < count; i++) {
        uint32_t value;
        memcpy(&value, x + i, sizeof value);
        const uint32_t rounded = value + 0x7FFFu + ((value >> 16) & 1u);
        const int is_nan = (value & 0x7FFFFFFFu) > 0x7F800000u;
        y[i] = (uint16_t)((is_nan ? value | 0x00400000u : rounded) >> 16);
    }
}
