/* A backend in C, as small as they get: a gain, and the choice to turn the signal upside down. `source` is its
 * metadata.json, so that a test can play any model that it can describe. "broken" can't be opened. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "neutone_like/backend_metadata.h"

typedef struct Gain {
    nl_setup setup;
    int wrapper; /* part=wrapper: parameters come as 0..1, a value a sample */
    float fails; /* a gain of exactly this fails */
} Gain;

static nl_status fail(nl_error error, const char* message) {
    snprintf(error.message, error.size, "%s", message);
    return NL_ERROR;
}

static nl_status create(const char* source, const char* options, void** instance, nl_error error) {
    if (strcmp(source, "broken") == 0) return fail(error, "this model is broken");
    Gain* gain = calloc(1, sizeof *gain);
    if (gain == NULL) return fail(error, "no memory");
    gain->wrapper = strstr(options, "part=wrapper") != NULL;
    gain->fails = 3.0f;
    *instance = gain;
    return NL_OK;
}

static nl_status clone_gain(void* instance, void** copy, nl_error error) {
    Gain* gain = malloc(sizeof *gain);
    if (gain == NULL) return fail(error, "no memory");
    *gain = *(Gain*)instance;
    *copy = gain;
    return NL_OK;
}

static nl_status prepare(void* instance, const nl_setup* setup, nl_facts* facts, nl_error error) {
    (void)error;
    ((Gain*)instance)->setup = *setup;
    facts->delay_samples = 0;
    facts->state_count = 0;
    return NL_OK;
}

static nl_status process(void* instance, const nl_block* block, nl_error error) {
    const Gain* gain = instance;
    const nl_setup* setup = &gain->setup;
    for (int32_t channel = 0; channel < setup->out_channels; ++channel) {
        const int32_t from = channel < setup->in_channels ? channel : setup->in_channels - 1;
        const int64_t stride = (int64_t)setup->look_behind + block->samples;
        const float* in = block->audio_in + from * stride + setup->look_behind;
        float* out = block->audio_out + (int64_t)channel * block->samples;
        for (int32_t i = 0; i < block->samples; ++i) {
            float factor = 1.0f;
            for (int32_t index = 0; index < setup->parameter_count; ++index) {
                const float value = block->parameters[index][block->parameter_lengths[index] > 1 ? i : 0];
                factor *= index == 0 ? value : (value > 0.5f ? -1.0f : 1.0f);
            }
            if (factor == gain->fails) return fail(error, "this gain was told to fail");
            out[i] = factor * in[i];
        }
    }
    return NL_OK;
}

static nl_status reset(void* instance, nl_error error) {
    (void)instance;
    (void)error;
    return NL_OK;
}

static const nl_backend table = {NL_BACKEND_ABI, "gain", create, clone_gain, prepare, process, reset, free, NULL};

#define EXPORT __attribute__((visibility("default")))

EXPORT const nl_backend* neutone_like_backend(nl_error error) {
    (void)error;
    return &table;
}

EXPORT nl_status neutone_like_metadata(const char* source, char* text, size_t size, size_t* length, nl_error error) {
    if (strcmp(source, "silent") == 0) return fail(error, "there is no file silent");
    *length = strlen(source);
    if (text != NULL) memcpy(text, source, size < *length ? size : *length);
    return NL_OK;
}
