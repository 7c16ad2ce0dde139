/* Plays the model inside a library on audio from standard input, and counts what it does while it plays.
 *     ./host RATE BLOCK [control]
 * Mono float32 in, mono float32 out. Allocations and frees are counted by functions that stand before the C library's.
 * Two calls of getppid() enclose the playing: in the emulator's list of system calls, what lies between is the model's.
 * "control" allocates and calls the system in each block: a check that can't fail shows nothing. */
#include <neutone_like/compiled.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void __libc_free(void*);

static long allocations, frees;

void* malloc(size_t size) { return ++allocations, __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return ++allocations, __libc_calloc(count, size); }
void* realloc(void* memory, size_t size) { return ++allocations, __libc_realloc(memory, size); }
void free(void* memory) {
    if (memory != NULL) ++frees;
    __libc_free(memory);
}

static int fail(const char* doing) {
    fprintf(stderr, "%s: %s\n", doing, nl_compiled_last_error());
    return 1;
}

int main(int count, char** words) {
    nl_compiled* model = NULL;
    nl_compiled_host host = NL_COMPILED_HOST_INIT;
    const int control = count > 3 && strcmp(words[3], "control") == 0;
    const int most = 1 << 20;
    float* sound = malloc(sizeof(float) * (size_t)most);
    float* heard = malloc(sizeof(float) * (size_t)most);
    void* volatile kept;
    int samples, block;
    if (count < 3 || sound == NULL || heard == NULL) return 2;
    block = atoi(words[2]);
    host.sample_rate = atoi(words[1]);
    host.block_size = block;
    host.channels = 1;
    if (nl_compiled_open_builtin(&model) != NL_SUCCESS) return fail("open");
    if (nl_compiled_prepare(model, &host) != NL_SUCCESS) return fail("prepare");
    samples = (int)fread(sound, sizeof(float), (size_t)most, stdin) / block * block;

    allocations = frees = 0;
    getppid();
    for (int at = 0; at < samples; at += block) {
        const float* in[1];
        float* out[1];
        in[0] = sound + at;
        out[0] = heard + at;
        if (nl_compiled_process(model, in, out, block) != NL_SUCCESS) return fail("process");
        if (control) {
            kept = malloc(64);
            free(kept);
            getuid();
        }
    }
    getppid();
    fprintf(stderr, "played %d blocks, %ld allocations, %ld frees, latency %ld samples, %s\n", samples / block, allocations,
            frees, (long)nl_compiled_latency_samples(model), nl_compiled_kernels(model));
    fwrite(heard, sizeof(float), (size_t)samples, stdout);
    fflush(stdout);
    nl_compiled_destroy(model);
    return 0;
}
