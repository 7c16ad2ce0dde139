/* The interface between the real-time engine and whatever computes a model's output.
 *
 * A backend is a table of C functions. The engine owns all buffers, calls one instance from one thread at a time, and
 * never calls it from the audio thread of an asynchronous session, so that a backend may allocate, lock and log.
 * Every function that can fail returns an nl_status and, on failure, writes a message for a person into `error`.
 *
 * Audio is float32, channels first, each buffer in one piece: [channels][samples].
 */
#ifndef NEUTONE_LIKE_BACKEND_H
#define NEUTONE_LIKE_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NL_BACKEND_ABI 1

typedef enum nl_status {
    NL_OK = 0,
    NL_ERROR = 1,       /* the message says what */
    NL_WRONG_SHAPE = 2, /* the model returned another size than it was asked for */
    NL_UNSUPPORTED = 3  /* this backend has no such operation */
} nl_status;

typedef struct nl_error {
    char* message; /* at most `size` bytes with the terminating zero */
    size_t size;
} nl_error;

/* What an instance is prepared for. Everything that `process` needs is allocated here. */
typedef struct nl_setup {
    int32_t sample_rate;   /* Hz, of the audio that the instance is given */
    int32_t longest_block; /* samples; with `fixed_block` every block has this length */
    int32_t fixed_block;   /* 1 or 0 */
    int32_t in_channels;
    int32_t out_channels;
    int32_t look_behind; /* past samples before every block, which the engine supplies */
    int32_t parameter_count;
    const char* const* parameter_names;
} nl_setup;

/* A tensor of state that the engine keeps between blocks for a backend which is a pure function. */
typedef struct nl_state_spec {
    const char* name;
    int64_t elements;
    const float* initial; /* NULL: zeros. Copied in `prepare`. */
} nl_state_spec;

/* What an instance says about itself once it is prepared; it stays valid until the next `prepare` or `destroy`. */
typedef struct nl_facts {
    int32_t delay_samples; /* how far the output lags behind the input, in samples of the given rate */
    int32_t state_count;
    const nl_state_spec* states;
} nl_facts;

/* One block. */
typedef struct nl_block {
    int32_t samples;                  /* new samples; the input holds look_behind + samples per channel */
    const float* audio_in;            /* [in_channels][look_behind + samples] */
    float* audio_out;                 /* [out_channels][samples] */
    const float* const* parameters;   /* one pointer for each parameter */
    const int32_t* parameter_lengths; /* 1: one value for the block; samples: one value a sample */
    const float* const* states_in;    /* as declared in nl_facts */
    float* const* states_out;         /* written by `process`; never the same memory as states_in */
} nl_block;

typedef struct nl_backend {
    uint32_t abi;     /* NL_BACKEND_ABI */
    const char* name; /* for messages */

    /* `source` is the backend's own: a path, a name. `options` is text, one "key=value" a line. */
    nl_status (*create)(const char* source, const char* options, void** instance, nl_error error);
    /* Another instance of the same model in its present state, with a state of its own from here on.
     * The engine warms up and measures such a copy, so that the first real block meets untouched state.
     * NULL or NL_UNSUPPORTED: no warm-up. */
    nl_status (*clone)(void* instance, void** copy, nl_error error);
    nl_status (*prepare)(void* instance, const nl_setup* setup, nl_facts* facts, nl_error error);
    nl_status (*process)(void* instance, const nl_block* block, nl_error error);
    nl_status (*reset)(void* instance, nl_error error); /* as new; states of nl_facts are the engine's to reset */
    void (*destroy)(void* instance);
    /* NULL, or called once by every thread of the engine's own before it first calls `process`: thread counts and the
     * like. */
    void (*thread_started)(void);
} nl_backend;

/* A shared object that holds a backend exports this under exactly this name. It returns NULL, with a message, when it
 * doesn't fit the process that it was loaded into. */
typedef const nl_backend* (*nl_backend_entry)(nl_error error);
#define NL_BACKEND_ENTRY "neutone_like_backend"

#ifdef __cplusplus
}
#endif

#endif
