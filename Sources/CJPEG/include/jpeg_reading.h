#ifndef CLIP_LENS_JPEG_READING_H
#define CLIP_LENS_JPEG_READING_H

// Reads JPEG files that lie in memory by libjpeg's classic API. It is C because libjpeg reports errors
// through a function that must not return, so by longjmp, which may not cross Swift frames.
// Every call stands alone and keeps nothing: any number of threads may call.

#include <stddef.h>
#include <stdint.h>

typedef enum {
    cj_done,
    /// The bytes end before the last row of pixels.
    cj_cut,
    /// libjpeg gave up; the message is its own.
    cj_damaged,
    /// Neither 1, 3 nor 4 components.
    cj_components,
    /// More scans than allowed.
    cj_scans,
    cj_no_memory,
} cj_outcome;

typedef struct {
    long width, height;
    int components;
    /// Bytes that were consumed, also on failure.
    size_t offset;
    /// Of the last error, or else of the first warning; empty without either.
    char message[200];
    /// Things that libjpeg found wrong and made up for.
    long warnings;
} cj_facts;

/// Reads up to the first scan: the size and the components.
cj_outcome cj_read_header(const uint8_t *bytes, size_t count, cj_facts *facts);

/// Reads the whole picture as 8-bit RGB; four components are taken for inverted CMYK, as Adobe writes it.
/// width and height must be those of the header: another size is `cj_damaged`, and nothing is written.
/// // rgb [height, width, 3]
cj_outcome cj_read_rgb(const uint8_t *bytes, size_t count, int max_scans, long width, long height,
                       uint8_t *rgb, cj_facts *facts);

#endif
