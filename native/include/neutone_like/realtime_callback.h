/* Your callback code, in the form that `neutone-like validate --real-time-safety FILE.so` runs.
 *
 * Build a shared object that exports these four functions. create, prepare and destroy are called on an ordinary thread
 * and may do what they like; process is called on the audio thread, and what it does there is counted.
 *
 *     g++ -O1 -g -shared -fPIC my_callback.cpp -o my_callback.so
 *     neutone-like validate --real-time-safety my_callback.so
 *
 * `-g` gives the report source lines, of which higher optimization loses some.
 */
#ifndef NEUTONE_LIKE_REALTIME_CALLBACK_H
#define NEUTONE_LIKE_REALTIME_CALLBACK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define NEUTONE_LIKE_CALLBACK_EXPORT __attribute__((visibility("default")))
#else
#define NEUTONE_LIKE_CALLBACK_EXPORT
#endif

/* An instance of your code, or NULL if there can be none. */
NEUTONE_LIKE_CALLBACK_EXPORT void* neutone_like_callback_create(void);

/* Everything that process needs is taken here. sample_rate is in Hz; no block is longer than longest_block samples.
 * Returns 0 when ready, anything else when these settings can't be served. */
NEUTONE_LIKE_CALLBACK_EXPORT int32_t neutone_like_callback_prepare(void* instance, double sample_rate,
                                                                   int32_t longest_block, int32_t channels);

/* One callback: `channels` pointers to `samples` floats each, in and out never the same memory. */
NEUTONE_LIKE_CALLBACK_EXPORT void neutone_like_callback_process(void* instance, const float* const* in,
                                                                float* const* out, int32_t samples);

NEUTONE_LIKE_CALLBACK_EXPORT void neutone_like_callback_destroy(void* instance);

#ifdef __cplusplus
}
#endif

#endif
