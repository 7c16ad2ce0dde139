// How what can't be is reported: thrown, or, by a compiler without exceptions (those for WebAssembly), kept as a text
// before the program traps, which a host in JavaScript catches.
#pragma once

namespace neutone_like {

#if defined(__cpp_exceptions)

template <typename Error>
[[noreturn]] void raise(const Error& error) {
    throw error;
}

#else

// Whoever builds without exceptions says where the text goes.
void keep_last_words(const char* message) noexcept;

template <typename Error>
[[noreturn]] void raise(const Error& error) {
    keep_last_words(error.what());
    __builtin_trap();
}

#endif

}  // namespace neutone_like
