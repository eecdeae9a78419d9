#ifndef CLIP_LENS_PACKED_LINEAR_H
#define CLIP_LENS_PACKED_LINEAR_H

// Linear layers through oneDNN: weights packed once into the order that the CPU's matrix kernels read, bias,
// activation and the addition to what is there fused into the product. The library is loaded when it is first asked
// for, so that a program runs without it. One thread a call, any number of callers.

/// Version such as "2.6.3"; NULL where the library is not there, or has no packed kernels for this CPU.
const char *cl_dnnl_version(void);

/// Instruction set that the library's kernels are compiled for, such as "avx512_core_bf16"; NULL as above.
const char *cl_dnnl_instruction_set(void);

typedef enum { cl_float32 = 0, cl_bfloat16 = 1 } cl_type;
typedef enum { cl_no_activation = 0, cl_quick_gelu = 1, cl_gelu = 2 } cl_activation;

/// Weights in the order that the CPU's kernels read. y = activation(x Wᵀ + b), or that added to y.
typedef struct cl_packed_linear cl_packed_linear;

/// Packs weights. // weight [outputs, inputs], bias [outputs]
/// NULL where the library is not there or refuses the shape.
/// `type` is that of the packed weights; products are added up in single precision either way.
cl_packed_linear *cl_packed_linear_create(const float *weight, const float *bias, long inputs, long outputs, cl_type type);

void cl_packed_linear_free(cl_packed_linear *linear);

/// What one product does beside multiplying.
typedef struct {
    long rows;
    int with_bias;
    cl_activation activation;
    /// Adds to y, which is then of single precision.
    int accumulate;
    cl_type x_type, y_type;
} cl_product;

/// Computes one product. // x [rows, inputs], y [rows, outputs]
/// An x of single precision is rounded first where the weights are; one of bfloat16 needs weights of it.
/// Returns 0, or oneDNN's status: out of memory, or a kernel that is not there.
int cl_packed_linear_run(cl_packed_linear *linear, cl_product product, const void *x, void *y);

#endif
