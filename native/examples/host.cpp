// Plays an artifact on a stream of raw stereo audio, as a plugin would play it on its host's:
//     sox in.wav -t f32 -c 2 -r 48000 - | ./host model.nlc drive=24 | play -t f32 -c 2 -r 48000 -
// A model.nm needs a backend beside it: ./host model.nm neutone_like_torch-*.so drive=24
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "neutone_like/engine.hpp"

constexpr int kBlock = 256;  // samples

int main(int argc, char** argv) try {
    if (argc < 2) return std::fprintf(stderr, "usage: host MODEL [BACKEND.so] [NAME=VALUE]... <IN.f32 >OUT.f32\n"), 2;
    nl::Engine engine;
    const bool has_backend = argc > 2 && std::strchr(argv[2], '=') == nullptr;
    nl::Session session = engine.open(argv[1], has_backend ? argv[2] : "");
    session.prepare({.sample_rate = 48000, .block_size = kBlock, .channels = 2, .mode = NL_INLINE});
    for (int index = has_backend ? 3 : 2; index < argc; ++index) {
        const std::string setting = argv[index];
        const size_t equals = std::min(setting.find('='), setting.size());
        session.set(setting.substr(0, equals).c_str(), setting.c_str() + std::min(equals + 1, setting.size()));
    }
    std::fprintf(stderr, "%s, latency %d samples\n", session.info().name, static_cast<int>(session.latency_samples()));

    std::vector<float> frames(2 * kBlock), in(2 * kBlock), out(2 * kBlock);
    const float* inputs[] = {in.data(), in.data() + kBlock};
    float* outputs[] = {out.data(), out.data() + kBlock};
    while (std::fread(frames.data(), 2 * sizeof(float), kBlock, stdin) == kBlock) {
        for (int i = 0; i < 2 * kBlock; ++i) in[i % 2 * kBlock + i / 2] = frames[i];
        session.process(inputs, outputs, kBlock);  // all that belongs into an audio callback
        for (int i = 0; i < 2 * kBlock; ++i) frames[i] = out[i % 2 * kBlock + i / 2];
        std::fwrite(frames.data(), 2 * sizeof(float), kBlock, stdout);
    }
    return session.statistics().failed_blocks == 0 ? 0 : 1;
} catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
}
