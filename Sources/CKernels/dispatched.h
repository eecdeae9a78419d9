#ifndef CLIP_LENS_DISPATCHED_H
#define CLIP_LENS_DISPATCHED_H

// One body, compiled for three instruction sets; the loader picks by CPU.
#if defined(__x86_64__) && defined(__linux__)
#define DISPATCHED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DISPATCHED
#endif

#define INLINE static inline __attribute__((always_inline))

#endif
