#include "jpeg_writing.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

// What libjpeg is given stands first: its callbacks get only that back.
typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf escape;
    cj_file *file;
} error_manager;

typedef struct {
    struct jpeg_compress_struct jpeg;
    error_manager errors;
    // libjpeg's own type of a size.
    unsigned char *bytes;
    unsigned long count;
} writer;

static void give_up(j_common_ptr jpeg) {
    error_manager *errors = (error_manager *)jpeg->err;
    char message[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, message);
    snprintf(errors->file->message, sizeof errors->file->message, "%s", message);
    longjmp(errors->escape, 1);
}

static void print_nothing(j_common_ptr jpeg) { (void)jpeg; }

// The function that calls setjmp changes none of its own variables afterwards.
static int guarded(writer *w, const uint8_t *rgb, long width, long height, int quality) {
    if (setjmp(w->errors.escape)) return 1;
    struct jpeg_compress_struct *jpeg = &w->jpeg;
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, &w->bytes, &w->count);
    jpeg->image_width = (JDIMENSION)width;
    jpeg->image_height = (JDIMENSION)height;
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg->optimize_coding = TRUE;
    jpeg->dct_method = JDCT_ISLOW;
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = (JSAMPROW)(rgb + (size_t)jpeg->next_scanline * (size_t)width * 3);
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
    return 0;
}

int cj_write_rgb(const uint8_t *rgb, long width, long height, int quality, cj_file *file) {
    writer w;
    memset(&w, 0, sizeof w);
    memset(file, 0, sizeof *file);
    w.jpeg.err = jpeg_std_error(&w.errors.base);
    w.errors.base.error_exit = give_up;
    w.errors.base.output_message = print_nothing;
    w.errors.file = file;
    const int failed = guarded(&w, rgb, width, height, quality);
    // Of a file that was given up, the buffer that libjpeg grew last is not known here: nothing is handed out.
    file->bytes = failed ? NULL : w.bytes;
    file->count = failed ? 0 : w.count;
    jpeg_destroy_compress(&w.jpeg);
    return failed;
}
