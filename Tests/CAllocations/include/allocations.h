#ifndef CLIP_LENS_ALLOCATIONS_H
#define CLIP_LENS_ALLOCATIONS_H

// Replaces malloc in the program that it is linked into, so in that of all tests: what it does there is count.

/// Whether the C library's allocator can be replaced here.
int cl_allocations_can_be_counted(void);

/// Counts the calling thread's requests for memory from now on; those of the libraries it calls are among them.
void cl_allocations_begin(void);

/// Counts no more. Returns how many there were.
long cl_allocations_end(void);

#endif
