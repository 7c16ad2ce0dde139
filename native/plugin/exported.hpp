// What hosts see of the binary; exports.map and neutone_like/plugin/cross_binary.py name the same.
#pragma once

#if defined(_WIN32)
#define NEUTONE_LIKE_EXPORTED __declspec(dllexport)
#else
#define NEUTONE_LIKE_EXPORTED __attribute__((visibility("default")))
#endif
