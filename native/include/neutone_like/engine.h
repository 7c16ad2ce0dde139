/* Plays an artifact in your host: open a file, prepare, set parameters by name, process, ask for the latency.
 *
 *     nl_engine* engine;
 *     nl_engine_create(NULL, &engine);
 *     nl_session* session;
 *     nl_session_open(engine, "model.nlc", NULL, &session);
 *     nl_host host = NL_HOST_INIT;
 *     host.sample_rate = 44100;
 *     host.block_size = 256;
 *     nl_prepare(session, &host);
 *     nl_set_parameter(session, "drive", 24.0);
 *     ...
 *     nl_process(session, in, out, 256);            // in the audio callback
 *
 * Rates, blocks, channels and parameters are adapted in here: the host says what it has, not what the model wants.
 * engine.hpp is the same in C++.
 *
 * Threads. Above each function stands who may call it:
 *     [audio]    the audio thread. Never allocates, locks, waits or throws, and makes at most one system call, which
 *                wakes a worker. (With NL_INLINE the model itself runs in there, and does what it does; with a
 *                wait_fraction it may wait for the worker, with one more system call, and no longer than that.)
 *     [any]      every thread at any time, the audio thread too.
 *     [control]  every thread but the audio thread. May allocate and wait, for a model to load or a block to end. Several
 *                may call at once, also while the audio thread plays.
 *
 * Results. Every function that can fail returns an nl_result. After one that is not NL_SUCCESS from a [control]
 * function, nl_last_error says for a person what was expected, what came, and what to do. Nothing is ever thrown.
 *
 * Versions. Structs begin with their size, which their _INIT sets, so that they can grow: a host that was compiled against
 * an older header works with a newer library. NL_ENGINE_API changes only if that is no longer so.
 */
#ifndef NEUTONE_LIKE_ENGINE_H
#define NEUTONE_LIKE_ENGINE_H

#include "neutone_like/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NL_ENGINE_API 1

/* Threads for models, shared by all sessions of a process. Usually one for a whole host. */
typedef struct nl_engine nl_engine;

/* One model playing for one host: a plugin's instance, a track. */
typedef struct nl_session nl_session;

/* [any] The version of this interface that the library has: compare it with NL_ENGINE_API. */
NL_API uint32_t nl_engine_api(void);

/* [any] The library's own version, such as "0.1.0". */
NL_API const char* nl_version(void);

/* [any] What the last [control] call on this thread that failed has to say, in UTF-8; valid until the next one fails. */
NL_API const char* nl_last_error(void);

/* [any] A result in a few words, for results of [audio] functions. */
NL_API const char* nl_result_text(nl_result result);

/* ---- Engine ---- */

typedef struct nl_engine_options {
    size_t size;
    int32_t workers;           /* threads that run models, 1..256 */
    int32_t polling;           /* 1: workers look for work every 50 us, or 2 ms after a second without any;
                                  process makes no system call at all */
    int32_t realtime_priority; /* 1: ask the system for it */
    int32_t reserved;
    double watchdog_seconds; /* a block that takes longer is given up, with its session */
} nl_engine_options;
#define NL_ENGINE_OPTIONS_INIT {sizeof(nl_engine_options), 1, 0, 1, 0, 2.0}

/* [control] `options`: NULL for the defaults above. */
NL_API nl_result nl_engine_create(const nl_engine_options* options, nl_engine** engine);

/* [control] Ends the workers. Sessions that are still open play no more (NL_CLOSED), and must be closed all the same.
 * NULL is allowed. */
NL_API void nl_engine_destroy(nl_engine* engine);

/* ---- Session ---- */

/* [control] Loads a model; nothing can be processed before nl_prepare.
 * `backend`: NULL or "" for a compiled model, a .nlc, which the library plays by itself. Else the shared object that
 * computes it, for a .nm the libtorch backend (`python -m neutone_like.runtime.build_torch_backend` builds it); a name
 * without a slash is looked for as the system's loader does. */
NL_API nl_result nl_session_open(nl_engine* engine, const char* model, const char* backend, nl_session** session);

/* [control] The audio thread must be out of nl_process for good. NULL is allowed. */
NL_API void nl_session_close(nl_session* session);

/* [control] */
NL_API nl_result nl_get_model_info(const nl_session* session, nl_model_info* info);

enum { NL_ASYNC = 0, NL_INLINE = 1 };
enum { NL_FADE = 0, NL_HOLD = 1, NL_DRY = 2 };

/* What a host promises, and wishes. */
typedef struct nl_host {
    size_t size;
    int32_t sample_rate;    /* Hz, 1000..384000 */
    int32_t block_size;     /* samples of every call of nl_process; with varying_blocks the most of one */
    int32_t channels;       /* what the model takes; or mono or stereo where it takes the other: they are converted */
    int32_t varying_blocks; /* 1: calls bring any number of samples; latency allows for it from the start */
    int32_t mode;           /* NL_ASYNC: the model runs on a worker, and latency allows for the worker's time;
                                 NL_INLINE: it runs inside nl_process, and adds none */
    int32_t late_policy;    /* heard in place of samples that are late: NL_FADE to silence within 5 ms, NL_HOLD the last
                                 one, NL_DRY the input */
    double max_inference_seconds; /* how long a block of the model takes at most, for the latency; 0: it is measured */
    double queue_seconds;         /* how much input is kept while a worker stalls, before the stream begins anew */
    double wait_fraction; /* 0, or below 1: nl_process may wait for its worker, asleep, for this part of what the
                                     block lasts, and the latency is as much shorter as that allows. Not with NL_INLINE */
} nl_host;
#define NL_HOST_INIT {sizeof(nl_host), 48000, 512, 2, 0, NL_ASYNC, NL_FADE, 0.0, 2.0, 0.0}

/* [control] Gets ready for a host, or for another one: takes all memory, warms the model up and measures it, which may
 * take a second. Parameters stay as they are set. Meanwhile, and after a failure, nl_process is NL_NOT_PREPARED. */
NL_API nl_result nl_prepare(nl_session* session, const nl_host* host);

/* [audio] One callback. `in`: nl_host.channels pointers to `samples` floats each; `out`: nl_output_channels of them, which
 * must not overlap with `in`. The output is that of the input nl_latency_samples ago. When it returns anything but
 * NL_SUCCESS, `out` is untouched. What a model does wrong is no failure here: it becomes silence, and is counted. */
NL_API nl_result nl_process(nl_session* session, const float* const* in, float* const* out, int32_t samples);

/* [any] How many channels nl_process gives: the host's, or the model's own beyond stereo. 0 before nl_prepare. */
NL_API int32_t nl_output_channels(const nl_session* session);

/* [any] Host samples between an input sample and the output that it causes, exactly. It grows once if a host breaks its
 * promise about block sizes. 0 before nl_prepare. */
NL_API int64_t nl_latency_samples(const nl_session* session);

/* [control] A whole signal at once, from a fresh start and on this thread: nothing is late, and the output is aligned with
 * the input. The stream of nl_process starts afresh too. */
NL_API nl_result nl_process_offline(nl_session* session, const float* const* in, float* const* out, int64_t samples);

/* [control] As if nothing had been played. Parameters stay as they are set. nl_process gives silence meanwhile. */
NL_API nl_result nl_reset(nl_session* session);

/* ---- Parameters: knobs and choices, each in its own unit ---- */

/* [control] `index`: 0..parameter_count - 1, in the order of the model's declaration. */
NL_API nl_result nl_get_parameter_info(const nl_session* session, int32_t index, nl_parameter* parameter);

/* [control] The index of a name. */
NL_API nl_result nl_find_parameter(const nl_session* session, const char* name, int32_t* index);

/* [control] From now on; a knob glides there as its model says. */
NL_API nl_result nl_set_parameter(nl_session* session, const char* name, double value);

/* [any] The same without looking for a name. nl_last_error says nothing of it. */
NL_API nl_result nl_set_parameter_at(nl_session* session, int32_t index, double value);

/* [control] What it is set to. */
NL_API nl_result nl_get_parameter(const nl_session* session, const char* name, double* value);

/* [any] */
NL_API nl_result nl_get_parameter_at(const nl_session* session, int32_t index, double* value);

/* [control] A value as a person reads it: "24 dB", a label. At most `size` bytes with the terminating zero. */
NL_API nl_result nl_parameter_to_text(const nl_session* session, int32_t index, double value, char* text, size_t size);

/* [control] The reverse: "24", "24 dB", a label or its index. */
NL_API nl_result nl_parameter_from_text(const nl_session* session, int32_t index, const char* text, double* value);

/* ---- Statistics ---- */

/* Counts since nl_prepare. */
typedef struct nl_statistics {
    size_t size;
    uint64_t callbacks;
    uint64_t samples;                  /* host samples processed */
    uint64_t underruns;                /* callbacks with at least one missing sample */
    uint64_t missing_samples;          /* output that was not ready in time, exactly */
    uint64_t dropped_samples;          /* input that found the queue full */
    uint64_t restarts;                 /* the stream began anew after a full queue */
    uint64_t inserted_silence_samples; /* because the host broke its promise about block sizes */
    uint64_t nonfinite_samples;        /* model output that was NaN or Inf and became silence */
    uint64_t nonfinite_input_samples;  /* host input that was, and did */
    uint64_t failed_blocks;            /* the model failed; silence took their place */
    uint64_t model_blocks;
    int32_t hung; /* 1: the watchdog gave the session up; it is silent */
    int32_t reserved;
    double max_inference_seconds; /* of one block: measured, or as nl_host says */
    double callback_seconds_p50;  /* time spent in nl_process */
    double callback_seconds_p99;
    double callback_seconds_max;
    double inference_seconds_p50; /* time the model took for one block */
    double inference_seconds_p99;
    double inference_seconds_max;
    char last_model_error[512]; /* what a model that failed said last; else empty */
    uint64_t waits;             /* calls of nl_process that waited for their worker */
    double waited_seconds;      /* all of them together */
} nl_statistics;

#define NL_STATISTICS_INIT \
    {sizeof(nl_statistics), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, "", 0, 0.0}

/* [control] Takes no lock that the audio thread could meet. */
NL_API nl_result nl_get_statistics(const nl_session* session, nl_statistics* statistics);

#ifdef __cplusplus
}
#endif

#endif
