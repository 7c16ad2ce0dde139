/* compiled.h for the real-time-safety checker: the model in a library, inside the callback, while a knob turns. */
#include <neutone_like/compiled.h>
#include <neutone_like/realtime_callback.h>
#include <stdlib.h>

static int turn = 0;

void* neutone_like_callback_create(void) {
    nl_compiled* model = NULL;
    return nl_compiled_open_builtin(&model) == NL_SUCCESS ? model : NULL;
}

int32_t neutone_like_callback_prepare(void* instance, double sample_rate, int32_t longest_block, int32_t channels) {
    nl_compiled_host promise = NL_COMPILED_HOST_INIT;
    promise.sample_rate = (int32_t)sample_rate;
    promise.block_size = longest_block;
    promise.channels = channels;
    return (int32_t)nl_compiled_prepare(instance, &promise);
}

void neutone_like_callback_process(void* instance, const float* const* in, float* const* out, int32_t samples) {
    nl_compiled_set_parameter(instance, 0, (double)(turn++ % 8) / 4.0);
    nl_compiled_set_parameter(instance, 99, 0.0); /* a failure costs no more */
    nl_compiled_process(instance, in, out, samples);
    if (turn % 100 == 0) nl_compiled_reset(instance);
    if (nl_compiled_latency_samples(instance) < 0 || nl_compiled_output_channels(instance) == 0) abort();
}

void neutone_like_callback_destroy(void* instance) { nl_compiled_destroy(instance); }
