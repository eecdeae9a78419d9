// Only libpng's simplified API is used: it reports errors in the image structure,
// whereas the classic API longjmps, which is undefined across Swift frames.
#include <png.h>

// PNG_IMAGE_VERSION and the format masks are macros with casts.
static inline png_uint_32 clens_png_image_version(void) { return PNG_IMAGE_VERSION; }
static inline png_uint_32 clens_png_format_rgb(void) { return PNG_FORMAT_RGB; }
static inline png_uint_32 clens_png_format_rgba(void) { return PNG_FORMAT_RGBA; }
static inline png_uint_32 clens_png_16bit_srgb(void) { return PNG_IMAGE_FLAG_16BIT_sRGB; }
