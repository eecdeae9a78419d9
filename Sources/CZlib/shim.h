#include <zlib.h>

// inflateInit is a macro that adds the version and the size of the structure.
static inline int clens_inflate_init(z_stream *stream) { return inflateInit(stream); }
// So is inflateInit2. 15 is the largest window; 16 asks for a gzip header and trailer.
static inline int clens_inflate_init_gzip(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
