#ifndef CLIP_LENS_JPEG_WRITING_H
#define CLIP_LENS_JPEG_WRITING_H

// Writes JPEG files into memory by libjpeg's classic API, for the reason that jpeg_reading.h gives.
// Equal pixels give equal bytes: the transform is the one in integers, the Huffman tables are made for the picture.

#include <stddef.h>
#include <stdint.h>

typedef struct {
    /// Of malloc; the caller frees them, also after a failure. NULL where there are none.
    uint8_t *bytes;
    size_t count;
    /// libjpeg's own words; empty after success.
    char message[200];
} cj_file;

/// Writes 8-bit RGB with colour at half resolution. Returns 0, or 1 with a message.
/// width and height are 1...65500, quality is 1...100.
/// // rgb [height, width, 3]
int cj_write_rgb(const uint8_t *rgb, long width, long height, int quality, cj_file *file);

#endif
