/* Plays a compiled model in your plugin, game or board, on the thread that calls it: no file, no thread, no other library.
 *
 *     nl_compiled* model;
 *     nl_compiled_open_builtin(&model);              // or nl_compiled_open(bytes, count, &model): a model.nlc
 *     nl_compiled_host host = NL_COMPILED_HOST_INIT;
 *     host.sample_rate = 44100;
 *     host.block_size = 256;
 *     nl_compiled_prepare(model, &host);
 *     nl_compiled_set_parameter(model, 0, 24.0);     // index and value; NAME.h has the indices by name
 *     ...
 *     nl_compiled_process(model, in, out, 256);      // in the audio callback
 *     ...
 *     nl_compiled_destroy(model);
 *
 * Rates, blocks, channels and parameters are adapted in here: the host says what it has, not what the model wants. It is
 * what engine.h does with NL_INLINE, to the sample: the model runs inside nl_compiled_process, and no worker adds latency.
 *
 * Threads. An nl_compiled belongs to one thread at a time: a host that sets parameters on another one than plays must see
 * to it that the two don't meet. Several of them play at the same time. Above each function stands
 *     [audio]    never allocates, locks, waits, or calls the system.
 *     [control]  takes memory and time.
 *
 * Results. Every function that can fail returns an nl_result. After one that is not NL_SUCCESS from a [control] function,
 * nl_compiled_last_error says for a person what was expected, what came, and what to do. Nothing is ever thrown. In
 * WebAssembly what can't be traps instead, for want of exceptions: catch it, ask nl_compiled_last_error, and make a new
 * instance of the module.
 *
 * Structs begin with their size, which their _INIT sets. NL_COMPILED_API changes only if a host that was compiled against
 * an older header doesn't work any more.
 */
#ifndef NEUTONE_LIKE_COMPILED_H
#define NEUTONE_LIKE_COMPILED_H

#include "neutone_like/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NL_COMPILED_API 1

typedef struct nl_compiled nl_compiled;

/* [audio] The version of this interface that the library has: compare it with NL_COMPILED_API. */
NL_API uint32_t nl_compiled_api(void);

/* [control] What the last [control] call on this thread that failed has to say, in UTF-8. */
NL_API const char* nl_compiled_last_error(void);

/* ---- A model ---- */

/* [control] The content of a model.nlc, which is copied. Whatever bytes they are, nothing but an error comes of bad ones. */
NL_API nl_result nl_compiled_open(const void* bytes, size_t count, nl_compiled** model);

/* [control] The same without a copy: the bytes lie at a multiple of 64, stay until nl_compiled_destroy, and never change. */
NL_API nl_result nl_compiled_open_in_place(const void* bytes, size_t count, nl_compiled** model);

/* [control] The model inside the library, in one that `neutone-like compile --target` made. */
NL_API nl_result nl_compiled_open_builtin(nl_compiled** model);

/* [control] NULL is allowed. */
NL_API void nl_compiled_destroy(nl_compiled* model);

/* [control] */
NL_API nl_result nl_compiled_get_info(const nl_compiled* model, nl_model_info* info);

/* [audio] The instruction set that it plays with: "x86-64-v3", "neon", "wasm-simd128"... */
NL_API const char* nl_compiled_kernels(const nl_compiled* model);

/* [audio] What the model's weights and its state take, in bytes. The state is taken in nl_compiled_prepare; the audio on its
 * way comes on top. */
NL_API uint64_t nl_compiled_memory_bytes(const nl_compiled* model);

/* ---- Playing ---- */

/* What a host promises. */
typedef struct nl_compiled_host {
    size_t size;
    int32_t sample_rate;    /* Hz, 1000..384000 */
    int32_t block_size;     /* samples of every call of nl_compiled_process; with varying_blocks the most of one */
    int32_t channels;       /* what the model takes; or mono or stereo where it takes the other: they are converted */
    int32_t varying_blocks; /* 1: calls bring any number of samples; latency allows for it from the start */
} nl_compiled_host;
#define NL_COMPILED_HOST_INIT {sizeof(nl_compiled_host), 48000, 512, 2, 0}

/* [control] Gets ready for a host, or for another one: takes all memory. Parameters stay as they are set. After a failure
 * nl_compiled_process is NL_NOT_PREPARED. */
NL_API nl_result nl_compiled_prepare(nl_compiled* model, const nl_compiled_host* host);

/* [audio] One callback. `in`: as many pointers as the host has channels, to `samples` floats each; `out`:
 * nl_compiled_output_channels of them, which may be the same memory. The output is that of the input
 * nl_compiled_latency_samples ago. When it returns anything but NL_SUCCESS, `out` is untouched. NaN and Inf, of the host or
 * of the model, become silence and are counted, and the model starts afresh after its own. */
NL_API nl_result nl_compiled_process(nl_compiled* model, const float* const* in, float* const* out, int32_t samples);

/* [audio] How many channels nl_compiled_process gives. 0 before nl_compiled_prepare. */
NL_API int32_t nl_compiled_output_channels(const nl_compiled* model);

/* [audio] Host samples between an input sample and the output that it causes, exactly. It grows once if a host breaks its
 * promise about block sizes. 0 before nl_compiled_prepare. */
NL_API int64_t nl_compiled_latency_samples(const nl_compiled* model);

/* [audio] As if nothing had been played. Parameters stay as they are set. */
NL_API nl_result nl_compiled_reset(nl_compiled* model);

/* [audio] Samples of the model's output, and values of the host's input, that were NaN or Inf and became silence, since
 * nl_compiled_prepare. */
NL_API uint64_t nl_compiled_nonfinite_samples(const nl_compiled* model);
NL_API uint64_t nl_compiled_nonfinite_input_samples(const nl_compiled* model);

/* ---- Parameters: knobs and choices, each in its own unit ---- */

/* [control] `index`: 0..parameter_count - 1, in the order of the model's declaration. */
NL_API nl_result nl_compiled_get_parameter_info(const nl_compiled* model, int32_t index, nl_parameter* parameter);

/* [control] The index of a name. */
NL_API nl_result nl_compiled_find_parameter(const nl_compiled* model, const char* name, int32_t* index);

/* [audio] From the next nl_compiled_process on; a knob glides there as its model says. NL_OUT_OF_RANGE: it stays as it was. */
NL_API nl_result nl_compiled_set_parameter(nl_compiled* model, int32_t index, double value);

/* [audio] What it is set to. */
NL_API nl_result nl_compiled_get_parameter(const nl_compiled* model, int32_t index, double* value);

#ifdef __cplusplus
}
#endif

#endif
