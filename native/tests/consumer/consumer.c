/* consumer MODEL BACKEND PARAMETER VALUE: plays a constant 0.5 and prints what comes out. */
#include <stdio.h>
#include <stdlib.h>

#include <neutone_like/engine.h>
#include <neutone_like/version.h>

#define BLOCK 64

static int fail(const char* doing) {
    fprintf(stderr, "%s: %s\n", doing, nl_last_error());
    return 1;
}

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    nl_engine* engine = NULL;
    if (nl_engine_create(NULL, &engine) != NL_SUCCESS) return fail("create");
    nl_session* session = NULL;
    if (nl_session_open(engine, argv[1], argv[2], &session) != NL_SUCCESS) return fail("open");
    nl_host host = NL_HOST_INIT;
    host.block_size = BLOCK;
    host.mode = NL_INLINE;
    if (nl_set_parameter(session, argv[3], atof(argv[4])) != NL_SUCCESS) return fail("set");
    if (nl_prepare(session, &host) != NL_SUCCESS) return fail("prepare");

    float left[BLOCK], right[BLOCK], out_left[BLOCK], out_right[BLOCK];
    for (int i = 0; i < BLOCK; ++i) left[i] = right[i] = 0.5f;
    const float* in[] = {left, right};
    float* out[] = {out_left, out_right};
    if (nl_process(session, in, out, BLOCK) != NL_SUCCESS) return 1;
    printf("%s %s latency %d output %.4f\n", nl_version(), NEUTONE_LIKE_VERSION, (int)nl_latency_samples(session),
           (double)out_right[BLOCK - 1]);
    nl_session_close(session);
    nl_engine_destroy(engine);
    return 0;
}
