#include "jpeg_reading.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// What libjpeg is given stands first in each structure: its callbacks get only that back.
typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf escape;
    cj_facts *facts;
    cj_outcome outcome;
} error_manager;

typedef struct {
    struct jpeg_progress_mgr base;
    int max_scans;
} scan_counter;

typedef struct {
    struct jpeg_decompress_struct jpeg;
    error_manager errors;
    struct jpeg_source_mgr source;
    scan_counter scans;
} reader;

static void give_up(j_common_ptr jpeg) {
    error_manager *errors = (error_manager *)jpeg->err;
    errors->outcome = jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? cj_no_memory : cj_damaged;
    char message[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, message);
    snprintf(errors->facts->message, sizeof errors->facts->message, "%s", message);
    longjmp(errors->escape, 1);
}

static void note_warning(j_common_ptr jpeg, int level) {
    if (level >= 0) return;
    cj_facts *facts = ((error_manager *)jpeg->err)->facts;
    if (facts->warnings++ == 0) {
        char message[JMSG_LENGTH_MAX];
        jpeg->err->format_message(jpeg, message);
        snprintf(facts->message, sizeof facts->message, "%s", message);
    }
}

static void print_nothing(j_common_ptr jpeg) { (void)jpeg; }

static void count_scans(j_common_ptr jpeg) {
    const scan_counter *scans = (const scan_counter *)jpeg->progress;
    if (!jpeg->is_decompressor || ((j_decompress_ptr)jpeg)->input_scan_number <= scans->max_scans) return;
    error_manager *errors = (error_manager *)jpeg->err;
    errors->outcome = cj_scans;
    longjmp(errors->escape, 1);
}

static void nothing(j_decompress_ptr jpeg) { (void)jpeg; }

// All bytes are there from the start: being asked for more means that the file is cut. Libjpeg then
// suspends, and what it decoded before stays valid.
static boolean no_more_bytes(j_decompress_ptr jpeg) {
    (void)jpeg;
    return FALSE;
}

static void skip(j_decompress_ptr jpeg, long count) {
    struct jpeg_source_mgr *source = jpeg->src;
    if (count <= 0) return;
    const size_t skipped = (size_t)count < source->bytes_in_buffer ? (size_t)count : source->bytes_in_buffer;
    source->next_input_byte += skipped;
    source->bytes_in_buffer -= skipped;
}

static void prepare(reader *r, const uint8_t *bytes, size_t count, int max_scans, cj_facts *facts) {
    memset(facts, 0, sizeof *facts);
    memset(r, 0, sizeof *r);
    r->jpeg.err = jpeg_std_error(&r->errors.base);
    r->errors.base.error_exit = give_up;
    r->errors.base.emit_message = note_warning;
    r->errors.base.output_message = print_nothing;
    r->errors.facts = facts;
    r->source = (struct jpeg_source_mgr){
        .next_input_byte = bytes,
        .bytes_in_buffer = count,
        .init_source = nothing,
        .fill_input_buffer = no_more_bytes,
        .skip_input_data = skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = nothing,
    };
    r->scans.base.progress_monitor = count_scans;
    r->scans.max_scans = max_scans;
}

// Up to the first scan. Files that hold only tables may stand before the picture.
static cj_outcome start(reader *r, cj_facts *facts) {
    jpeg_create_decompress(&r->jpeg);
    r->jpeg.src = &r->source;
    r->jpeg.progress = &r->scans.base;
    int found;
    do found = jpeg_read_header(&r->jpeg, FALSE);
    while (found == JPEG_HEADER_TABLES_ONLY);
    if (found == JPEG_SUSPENDED) return cj_cut;
    facts->width = r->jpeg.image_width;
    facts->height = r->jpeg.image_height;
    facts->components = r->jpeg.num_components;
    return facts->components == 1 || facts->components == 3 || facts->components == 4 ? cj_done : cj_components;
}

static void spread_grey(const uint8_t *grey, long width, uint8_t *rgb) {
    for (long x = 0; x < width; x++, rgb += 3) rgb[0] = rgb[1] = rgb[2] = grey[x];
}

// a b / 255, rounded, for a and b in 0...255
static inline int product(int a, int b) {
    const int scaled = a * b + 128;
    return ((scaled >> 8) + scaled) >> 8;
}

// The samples are stored inverted: 255 - C, ..., so k is the share of white that black leaves.
static void mix_inks(const uint8_t *cmyk, long width, uint8_t *rgb) {
    for (long x = 0; x < width; x++, cmyk += 4, rgb += 3) {
        const int k = cmyk[3];
        for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(k - product(255 - cmyk[c], k));
    }
}

static cj_outcome read_rows(reader *r, uint8_t *rgb, cj_facts *facts) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    const long width = facts->width;
    jpeg->out_color_space = facts->components == 1 ? JCS_GRAYSCALE : facts->components == 3 ? JCS_RGB : JCS_CMYK;
    if (!jpeg_start_decompress(jpeg)) return cj_cut;
    // Released with the decompressor.
    uint8_t *row = facts->components == 3
        ? NULL
        : jpeg->mem->alloc_large((j_common_ptr)jpeg, JPOOL_IMAGE, (size_t)width * (size_t)facts->components);
    for (long y = 0; y < facts->height; y++) {
        uint8_t *target = rgb + y * width * 3;
        JSAMPROW rows = row ? row : target;
        if (jpeg_read_scanlines(jpeg, &rows, 1) != 1) return cj_cut;
        if (facts->components == 1) spread_grey(row, width, target);
        if (facts->components == 4) mix_inks(row, width, target);
    }
    // The rest of the bytes does not matter: all rows are there.
    jpeg_finish_decompress(jpeg);
    return cj_done;
}

// The function that calls setjmp changes none of its own variables afterwards.
static cj_outcome guarded_header(reader *r, cj_facts *facts) {
    if (setjmp(r->errors.escape)) return r->errors.outcome;
    return start(r, facts);
}

static cj_outcome guarded_picture(reader *r, long width, long height, uint8_t *rgb, cj_facts *facts) {
    if (setjmp(r->errors.escape)) return r->errors.outcome;
    const cj_outcome outcome = start(r, facts);
    if (outcome != cj_done) return outcome;
    return facts->width == width && facts->height == height ? read_rows(r, rgb, facts) : cj_damaged;
}

static void finish(reader *r, size_t count, cj_facts *facts) {
    facts->offset = count - r->source.bytes_in_buffer;
    jpeg_destroy_decompress(&r->jpeg);
}

cj_outcome cj_read_header(const uint8_t *bytes, size_t count, cj_facts *facts) {
    reader r;
    prepare(&r, bytes, count, 1, facts);
    const cj_outcome outcome = guarded_header(&r, facts);
    finish(&r, count, facts);
    return outcome;
}

cj_outcome cj_read_rgb(const uint8_t *bytes, size_t count, int max_scans, long width, long height,
                       uint8_t *rgb, cj_facts *facts) {
    reader r;
    prepare(&r, bytes, count, max_scans, facts);
    const cj_outcome outcome = guarded_picture(&r, width, height, rgb, facts);
    finish(&r, count, facts);
    return outcome;
}
