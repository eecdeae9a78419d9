#ifndef CLIP_LENS_ALLOCATIONS_H
#define CLIP_LENS_ALLOCATIONS_H

/// Counts the calling thread's requests for memory from now on; those of the libraries it calls are among them.
void cl_allocations_begin(void);

/// Counts no more. Returns how many there were, or -1 where this C library's allocator cannot be replaced.
long cl_allocations_end(void);

#endif
