#include "allocations.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

static _Thread_local long count;
static _Thread_local int is_counting;

void cl_allocations_begin(void) {
    count = 0;
    is_counting = 1;
}

long cl_allocations_end(void) {
    is_counting = 0;
    return count;
}

#if defined(__GLIBC__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

int cl_allocations_can_be_counted(void) { return 1; }

// The program's own functions of these names replace the C library's in every library that it loads, which glibc
// provides for; what they do is left to glibc. Memory is freed by glibc as ever.

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t number, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    count += is_counting;
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count += is_counting;
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    count += is_counting;
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count += is_counting;
    return __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size) {
    count += is_counting;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
    count += is_counting;
    void *found = __libc_memalign(alignment, size);
    if (!found) return ENOMEM;
    *memory = found;
    return 0;
}

#else

int cl_allocations_can_be_counted(void) { return 0; }

#endif
