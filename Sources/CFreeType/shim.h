#include <ft2build.h>
#include FT_FREETYPE_H

// FreeType's load flags are macros with casts, which Swift does not import.
static inline FT_Int32 clens_ft_load_default(void) { return FT_LOAD_DEFAULT; }
static inline FT_Int32 clens_ft_load_color(void) { return FT_LOAD_COLOR; }
static inline FT_Int32 clens_ft_load_render(void) { return FT_LOAD_RENDER; }
