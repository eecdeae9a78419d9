// Of libarchive only the decompressors are used: names, sizes and offsets are read from the
// archives' own records, because libarchive gives neither the offset of an entry's data nor its
// CRC, and converts names by the locale.
#include <archive.h>
