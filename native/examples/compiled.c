/* Plays the model inside a library on a stream of raw audio, as a plugin would play it on its host's:
 *     sox in.wav -t f32 -c 2 -r 48000 - | ./compiled 48000 256 2 drive=24 | play -t f32 -c 2 -r 48000 -
 * Build it with a library that neutone-like compile made:
 *     cc -std=c99 -Iinclude compiled.c -Lx86_64-linux -loverdrive -o compiled
 */
#include <neutone_like/compiled.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

#define MOST_CHANNELS 64

static int fail(const char* doing) {
    fprintf(stderr, "%s: %s\n", doing, nl_compiled_last_error());
    return 1;
}

/* NAME=VALUE */
static nl_result set(nl_compiled* model, char* setting) {
    char* value = strchr(setting, '=');
    int32_t index = 0;
    nl_result result;
    if (value == NULL) return NL_WRONG_USE;
    *value = '\0';
    result = nl_compiled_find_parameter(model, setting, &index);
    return result != NL_SUCCESS ? result : nl_compiled_set_parameter(model, index, atof(value + 1));
}

static float* rows_of(float** rows, int channels, int samples) {
    float* memory = calloc((size_t)channels * (size_t)samples, sizeof(float));
    for (int channel = 0; memory != NULL && channel < channels; ++channel) rows[channel] = memory + channel * samples;
    return memory;
}

static int play(nl_compiled* model, int block, int channels) {
    const int out_channels = nl_compiled_output_channels(model);
    float* in[MOST_CHANNELS];
    float* out[MOST_CHANNELS];
    float* in_memory = rows_of(in, channels, block);
    float* out_memory = rows_of(out, out_channels, block);
    float frame[MOST_CHANNELS];
    int samples = block;
    while (in_memory != NULL && out_memory != NULL && samples == block) {
        for (samples = 0; samples < block && fread(frame, sizeof(float), (size_t)channels, stdin) == (size_t)channels;
             ++samples) {
            for (int channel = 0; channel < channels; ++channel) in[channel][samples] = frame[channel];
        }
        if (nl_compiled_process(model, (const float* const*)in, out, samples) != NL_SUCCESS) return fail("process");
        for (int i = 0; i < samples; ++i) {
            for (int channel = 0; channel < out_channels; ++channel) frame[channel] = out[channel][i];
            fwrite(frame, sizeof(float), (size_t)out_channels, stdout);
        }
    }
    free(in_memory);
    free(out_memory);
    return 0;
}

int main(int argc, char** argv) {
    nl_compiled* model = NULL;
    nl_compiled_host host = NL_COMPILED_HOST_INIT;
    nl_model_info info = NL_MODEL_INFO_INIT;
    int code;
    if (argc < 4) return fprintf(stderr, "usage: compiled RATE BLOCK CHANNELS [NAME=VALUE]... <IN.f32 >OUT.f32\n"), 2;
#ifdef _WIN32
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
#endif
    if (nl_compiled_open_builtin(&model) != NL_SUCCESS) return fail("open");
    host.sample_rate = atoi(argv[1]);
    host.block_size = atoi(argv[2]);
    host.channels = atoi(argv[3]);
    host.varying_blocks = 0;
    if (nl_compiled_prepare(model, &host) != NL_SUCCESS) return fail("prepare");
    for (int index = 4; index < argc; ++index) {
        if (set(model, argv[index]) != NL_SUCCESS) return fail(argv[index]);
    }
    nl_compiled_get_info(model, &info);
    fprintf(stderr, "%s, latency %d samples, %s\n", info.name, (int)nl_compiled_latency_samples(model),
            nl_compiled_kernels(model));
    code = play(model, host.block_size, host.channels);
    nl_compiled_destroy(model);
    return code;
}
