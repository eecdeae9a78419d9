#include "packed_linear.h"

#include "kernels.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <oneapi/dnnl/dnnl.h>

// ---------------------------------------------------------------------------------------------- the library

#define FUNCTIONS(X)                                                                                                   \
    X(dnnl_version)                                                                                                    \
    X(dnnl_get_effective_cpu_isa)                                                                                      \
    X(dnnl_engine_create)                                                                                              \
    X(dnnl_stream_create)                                                                                              \
    X(dnnl_stream_destroy)                                                                                             \
    X(dnnl_memory_desc_init_by_tag)                                                                                    \
    X(dnnl_memory_desc_get_size)                                                                                       \
    X(dnnl_memory_create)                                                                                              \
    X(dnnl_memory_destroy)                                                                                             \
    X(dnnl_matmul_desc_init)                                                                                           \
    X(dnnl_primitive_attr_create)                                                                                      \
    X(dnnl_primitive_attr_destroy)                                                                                     \
    X(dnnl_primitive_attr_set_post_ops)                                                                                \
    X(dnnl_primitive_attr_set_scratchpad_mode)                                                                         \
    X(dnnl_post_ops_create)                                                                                            \
    X(dnnl_post_ops_destroy)                                                                                           \
    X(dnnl_post_ops_append_sum)                                                                                        \
    X(dnnl_post_ops_append_eltwise)                                                                                    \
    X(dnnl_primitive_desc_create)                                                                                      \
    X(dnnl_primitive_desc_destroy)                                                                                     \
    X(dnnl_primitive_desc_query_md)                                                                                    \
    X(dnnl_primitive_create)                                                                                           \
    X(dnnl_primitive_destroy)                                                                                          \
    X(dnnl_primitive_execute)                                                                                          \
    X(dnnl_reorder_primitive_desc_create)

static struct {
#define MEMBER(name) __typeof__(&name) name;
    FUNCTIONS(MEMBER)
#undef MEMBER
    // Of the OpenMP library that oneDNN itself uses; missing where it is built without threads.
    void (*omp_set_num_threads)(int);
    dnnl_engine_t engine;
    char version[32];
    const char *instruction_set;
} library;

static pthread_key_t thread_key;

static const char *instruction_set_name(dnnl_cpu_isa_t isa) {
    switch (isa) {
    case dnnl_cpu_isa_avx512_core_amx: return "avx512_core_amx";
    case dnnl_cpu_isa_avx512_core_bf16: return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_vnni: return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core: return "avx512_core";
    // Without 512-bit registers this version has no packed kernels, and OpenBLAS is as fast.
    default: return NULL;
    }
}

static void free_thread(void *pointer);

static void load(void) {
    void *handle = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!handle) return;
#define FIND(name)                                                                                                     \
    library.name = (__typeof__(&name))dlsym(handle, #name);                                                            \
    if (!library.name) return;
    FUNCTIONS(FIND)
#undef FIND
    library.omp_set_num_threads = (void (*)(int))dlsym(handle, "omp_set_num_threads");
    const char *instruction_set = instruction_set_name(library.dnnl_get_effective_cpu_isa());
    if (!instruction_set || pthread_key_create(&thread_key, free_thread) != 0) return;
    if (library.dnnl_engine_create(&library.engine, dnnl_cpu, 0) != dnnl_success) return;
    const dnnl_version_t *version = library.dnnl_version();
    snprintf(library.version, sizeof library.version, "%d.%d.%d", version->major, version->minor, version->patch);
    library.instruction_set = instruction_set;
}

static int is_available(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return library.instruction_set != NULL;
}

const char *cl_dnnl_version(void) { return is_available() ? library.version : NULL; }
const char *cl_dnnl_instruction_set(void) { return is_available() ? library.instruction_set : NULL; }

// ------------------------------------------------------------------------------------------------ one thread

/// Memory that grows as it is needed.
struct buffer {
    void *base;
    size_t size;
};

static int reserve(struct buffer *buffer, size_t size) {
    if (size <= buffer->size) return 1;
    void *larger = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!larger) return 0;
    free(buffer->base);
    buffer->base = larger;
    buffer->size = size;
    return 1;
}

/// What a thread needs for any product: a stream, memory that the library writes into, and rounded inputs.
struct thread_state {
    dnnl_stream_t stream;
    struct buffer scratch, rounded;
};

static void free_thread(void *pointer) {
    struct thread_state *state = pointer;
    if (state->stream) library.dnnl_stream_destroy(state->stream);
    free(state->scratch.base);
    free(state->rounded.base);
    free(state);
}

static struct thread_state *thread_state(size_t scratch_size, size_t rounded_size) {
    struct thread_state *state = pthread_getspecific(thread_key);
    if (!state) {
        state = calloc(1, sizeof *state);
        if (!state) return NULL;
        if (library.dnnl_stream_create(&state->stream, library.engine, dnnl_stream_default_flags) != dnnl_success ||
            pthread_setspecific(thread_key, state) != 0) {
            free_thread(state);
            return NULL;
        }
        // The setting is each thread's own.
        if (library.omp_set_num_threads) library.omp_set_num_threads(1);
    }
    return reserve(&state->scratch, scratch_size) && reserve(&state->rounded, rounded_size) ? state : NULL;
}

// --------------------------------------------------------------------------------------------------- layers

/// The kernel for one number of rows.
struct kernel {
    cl_product product;
    dnnl_primitive_t primitive;
    dnnl_memory_desc_t x, y, scratch;
    size_t scratch_size;
    struct kernel *next;
};

struct cl_packed_linear {
    long inputs, outputs;
    cl_type type;
    dnnl_memory_desc_t weight_layout, bias_layout;
    void *weight;
    float *bias;
    dnnl_memory_t weight_memory, bias_memory;
    /// Only ever grows, at its head, under the lock; read without it.
    _Atomic(struct kernel *) kernels;
    pthread_mutex_t lock;
};

static dnnl_data_type_t data_type(cl_type type) { return type == cl_bfloat16 ? dnnl_bf16 : dnnl_f32; }

static dnnl_status_t matrix(dnnl_memory_desc_t *layout, long rows, long columns, dnnl_data_type_t type, dnnl_format_tag_t tag) {
    dnnl_dims_t dimensions = {rows, columns};
    return library.dnnl_memory_desc_init_by_tag(layout, 2, dimensions, type, tag);
}

/// - Parameter weights: the layout, or any that the library likes.
static dnnl_status_t describe(const cl_packed_linear *linear, struct kernel *kernel, const dnnl_memory_desc_t *weights,
                              dnnl_primitive_desc_t *description) {
    const cl_product product = kernel->product;
    dnnl_matmul_desc_t operation;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t after = NULL;
    dnnl_status_t status = matrix(&kernel->x, product.rows, linear->inputs, data_type(linear->type), dnnl_ab);
    if (!status) status = matrix(&kernel->y, product.rows, linear->outputs, data_type(product.y_type), dnnl_ab);
    if (!status)
        status = library.dnnl_matmul_desc_init(&operation, &kernel->x, weights, product.with_bias ? &linear->bias_layout : NULL,
                                               &kernel->y);
    if (!status) status = library.dnnl_primitive_attr_create(&attributes);
    if (!status) status = library.dnnl_post_ops_create(&after);
    if (!status && product.activation == cl_quick_gelu)
        status = library.dnnl_post_ops_append_eltwise(after, 1, dnnl_eltwise_swish, 1.702f, 0);
    if (!status && product.activation == cl_gelu)
        status = library.dnnl_post_ops_append_eltwise(after, 1, dnnl_eltwise_gelu_erf, 0, 0);
    if (!status && product.accumulate) status = library.dnnl_post_ops_append_sum(after, 1);
    if (!status) status = library.dnnl_primitive_attr_set_post_ops(attributes, after);
    if (!status) status = library.dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (!status) status = library.dnnl_primitive_desc_create(description, &operation, attributes, library.engine, NULL);
    if (after) library.dnnl_post_ops_destroy(after);
    if (attributes) library.dnnl_primitive_attr_destroy(attributes);
    return status;
}

static dnnl_status_t make(const cl_packed_linear *linear, struct kernel *kernel) {
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = describe(linear, kernel, &linear->weight_layout, &description);
    if (status) return status;
    const dnnl_memory_desc_t *scratch = library.dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    kernel->scratch = *scratch;
    kernel->scratch_size = library.dnnl_memory_desc_get_size(scratch);
    status = library.dnnl_primitive_create(&kernel->primitive, description);
    library.dnnl_primitive_desc_destroy(description);
    return status;
}

static struct kernel *find(struct kernel *kernel, cl_product sought) {
    for (; kernel; kernel = kernel->next) {
        const cl_product product = kernel->product;
        if (product.rows == sought.rows && product.with_bias == sought.with_bias && product.activation == sought.activation &&
            product.accumulate == sought.accumulate && product.y_type == sought.y_type)
            break;
    }
    return kernel;
}

static dnnl_status_t kernel_for(cl_packed_linear *linear, cl_product product, struct kernel **found) {
    *found = find(atomic_load_explicit(&linear->kernels, memory_order_acquire), product);
    if (*found) return dnnl_success;
    pthread_mutex_lock(&linear->lock);
    struct kernel *first = atomic_load_explicit(&linear->kernels, memory_order_relaxed);
    *found = find(first, product);
    dnnl_status_t status = dnnl_success;
    if (!*found) {
        struct kernel *made = calloc(1, sizeof *made);
        status = dnnl_out_of_memory;
        if (made) {
            made->product = product;
            status = make(linear, made);
        }
        if (status) {
            free(made);
        } else {
            made->next = first;
            atomic_store_explicit(&linear->kernels, made, memory_order_release);
            *found = made;
        }
    }
    pthread_mutex_unlock(&linear->lock);
    return status;
}

// -------------------------------------------------------------------------------------------------- packing

static dnnl_status_t reorder(const dnnl_memory_desc_t *from, void *source, const dnnl_memory_desc_t *to, void *target) {
    struct thread_state *state = thread_state(0, 0);
    if (!state) return dnnl_out_of_memory;
    dnnl_primitive_desc_t description = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_memory_t memories[2] = {NULL, NULL};
    dnnl_status_t status =
        library.dnnl_reorder_primitive_desc_create(&description, from, library.engine, to, library.engine, NULL);
    if (!status) status = library.dnnl_primitive_create(&primitive, description);
    if (!status) status = library.dnnl_memory_create(&memories[0], from, library.engine, source);
    if (!status) status = library.dnnl_memory_create(&memories[1], to, library.engine, target);
    if (!status) {
        const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, memories[0]}, {DNNL_ARG_TO, memories[1]}};
        status = library.dnnl_primitive_execute(primitive, state->stream, 2, arguments);
    }
    for (int i = 0; i < 2; i++)
        if (memories[i]) library.dnnl_memory_destroy(memories[i]);
    if (primitive) library.dnnl_primitive_destroy(primitive);
    if (description) library.dnnl_primitive_desc_destroy(description);
    return status;
}

static dnnl_status_t pack(cl_packed_linear *linear, const float *weight, const float *bias) {
    dnnl_memory_desc_t any, plain;
    dnnl_status_t status = matrix(&any, linear->inputs, linear->outputs, data_type(linear->type), dnnl_format_tag_any);
    // Wᵀ [inputs, outputs] as the rows of W [outputs, inputs] hold it.
    if (!status) status = matrix(&plain, linear->inputs, linear->outputs, dnnl_f32, dnnl_ba);
    if (!status) status = matrix(&linear->bias_layout, 1, linear->outputs, dnnl_f32, dnnl_ab);
    if (status) return status;
    linear->bias = malloc((size_t)linear->outputs * sizeof *bias);
    if (!linear->bias) return dnnl_out_of_memory;
    memcpy(linear->bias, bias, (size_t)linear->outputs * sizeof *bias);
    status = library.dnnl_memory_create(&linear->bias_memory, &linear->bias_layout, library.engine, linear->bias);
    if (status) return status;
    // The layout that suits some hundred rows serves any number.
    struct kernel typical = {.product = {.rows = 512}};
    dnnl_primitive_desc_t description = NULL;
    status = describe(linear, &typical, &any, &description);
    if (status) return status;
    linear->weight_layout = *library.dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
    library.dnnl_primitive_desc_destroy(description);
    const size_t size = library.dnnl_memory_desc_get_size(&linear->weight_layout);
    linear->weight = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!linear->weight) return dnnl_out_of_memory;
    status = reorder(&plain, (void *)weight, &linear->weight_layout, linear->weight);
    if (status) return status;
    return library.dnnl_memory_create(&linear->weight_memory, &linear->weight_layout, library.engine, linear->weight);
}

cl_packed_linear *cl_packed_linear_create(const float *weight, const float *bias, long inputs, long outputs, cl_type type) {
    if (!is_available() || inputs <= 0 || outputs <= 0) return NULL;
    cl_packed_linear *linear = calloc(1, sizeof *linear);
    if (!linear) return NULL;
    linear->inputs = inputs;
    linear->outputs = outputs;
    linear->type = type;
    pthread_mutex_init(&linear->lock, NULL);
    if (pack(linear, weight, bias) != dnnl_success) {
        cl_packed_linear_free(linear);
        return NULL;
    }
    return linear;
}

void cl_packed_linear_free(cl_packed_linear *linear) {
    struct kernel *kernel = atomic_load(&linear->kernels);
    while (kernel) {
        struct kernel *next = kernel->next;
        library.dnnl_primitive_destroy(kernel->primitive);
        free(kernel);
        kernel = next;
    }
    if (linear->weight_memory) library.dnnl_memory_destroy(linear->weight_memory);
    if (linear->bias_memory) library.dnnl_memory_destroy(linear->bias_memory);
    pthread_mutex_destroy(&linear->lock);
    free(linear->weight);
    free(linear->bias);
    free(linear);
}

int cl_packed_linear_run(cl_packed_linear *linear, cl_product product, const void *x, void *y) {
    if (product.rows <= 0) return dnnl_success;
    struct kernel *kernel = NULL;
    dnnl_status_t status = kernel_for(linear, product, &kernel);
    if (status) return status;
    const int rounds = linear->type == cl_bfloat16 && product.x_type == cl_float32;
    const long count = product.rows * linear->inputs;
    struct thread_state *state = thread_state(kernel->scratch_size, rounds ? (size_t)count * sizeof(uint16_t) : 0);
    if (!state) return dnnl_out_of_memory;
    if (rounds) {
        ck_round_to_bfloat16(x, count, state->rounded.base);
        x = state->rounded.base;
    }
    dnnl_memory_t memories[3] = {NULL, NULL, NULL};
    status = library.dnnl_memory_create(&memories[0], &kernel->x, library.engine, (void *)x);
    if (!status) status = library.dnnl_memory_create(&memories[1], &kernel->y, library.engine, y);
    if (!status && kernel->scratch_size)
        status = library.dnnl_memory_create(&memories[2], &kernel->scratch, library.engine, state->scratch.base);
    if (!status) {
        dnnl_exec_arg_t arguments[5] = {
            {DNNL_ARG_SRC, memories[0]}, {DNNL_ARG_DST, memories[1]}, {DNNL_ARG_WEIGHTS, linear->weight_memory}};
        int used = 3;
        if (product.with_bias) arguments[used++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, linear->bias_memory};
        if (memories[2]) arguments[used++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, memories[2]};
        status = library.dnnl_primitive_execute(kernel->primitive, state->stream, used, arguments);
    }
    for (int i = 0; i < 3; i++)
        if (memories[i]) library.dnnl_memory_destroy(memories[i]);
    return status;
}
