/* engine.h's audio side for the real-time-safety checker: an asynchronous session that is played while a knob turns.
 * The model and the backend come from the environment. */
#include <stdlib.h>

#include <neutone_like/engine.h>
#include <neutone_like/realtime_callback.h>

typedef struct Host {
    nl_engine* engine;
    nl_session* session;
    int turn;
} Host;

void* neutone_like_callback_create(void) {
    Host* host = calloc(1, sizeof *host);
    nl_engine_options options = NL_ENGINE_OPTIONS_INIT;
    options.polling = getenv("NL_POLLING") != NULL;
    if (host == NULL || nl_engine_create(&options, &host->engine) != NL_SUCCESS) return NULL;
    if (nl_session_open(host->engine, getenv("NL_MODEL"), getenv("NL_BACKEND"), &host->session) != NL_SUCCESS)
        return NULL;
    return host;
}

int32_t neutone_like_callback_prepare(void* instance, double sample_rate, int32_t longest_block, int32_t channels) {
    nl_host promise = NL_HOST_INIT;
    promise.sample_rate = (int32_t)sample_rate;
    promise.block_size = longest_block;
    promise.channels = channels;
    promise.max_inference_seconds = 0.001;
    return (int32_t)nl_prepare(((Host*)instance)->session, &promise);
}

void neutone_like_callback_process(void* instance, const float* const* in, float* const* out, int32_t samples) {
    Host* host = instance;
    nl_set_parameter_at(host->session, 0, (double)(host->turn++ % 8) / 4.0);
    nl_set_parameter_at(host->session, 99, 0.0); /* a failure costs no more */
    nl_process(host->session, in, out, samples);
    if (nl_latency_samples(host->session) < 0 || nl_output_channels(host->session) == 0) abort();
}

void neutone_like_callback_destroy(void* instance) {
    Host* host = instance;
    nl_session_close(host->session);
    nl_engine_destroy(host->engine);
    free(host);
}
