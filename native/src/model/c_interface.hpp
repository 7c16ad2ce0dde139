// What the C interfaces have in common: arguments are checked, and nothing that is thrown gets out.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "model/host_error.hpp"
#include "model/model_facts.hpp"
#include "neutone_like/model.h"
#include "signal/raise.hpp"

namespace neutone_like {

// What the last call on this thread that failed had to say.
const char* last_words() noexcept;
nl_result failure(nl_result result, const char* message) noexcept;

// A result in a few words.
const char* words_of(nl_result result) noexcept;

// Runs `work`, and turns what it throws into a result and a message.
template <typename Work>
nl_result guarded(Work&& work) noexcept {
#if defined(__cpp_exceptions)
    try {
        work();
        return NL_SUCCESS;
    } catch (const HostError& error) {
        return failure(error.result(), error.what());
    } catch (const std::bad_alloc&) {
        return failure(NL_NO_MEMORY, "There is not enough memory.");
    } catch (const std::exception& error) {
        return failure(NL_FAILED, error.what());
    } catch (...) {
        return failure(NL_FAILED, "Something was thrown that is no std::exception.");
    }
#else
    work();
    return NL_SUCCESS;
#endif
}

void require(const void* pointer, const char* name);

// 0 or 1.
bool as_flag(const char* field, int32_t value);

// check_host, as wrong use.
void require_host(const SessionConfig& config);

// As structs of C begin: with the size that the caller's header gives them.
void require_size(size_t given, size_t known, const char* name, const char* initializer);

template <typename Struct>
void require_size(const Struct* given, const char* name, const char* initializer) {
    require(given, name);
    require_size(given->size, sizeof(Struct), name, initializer);
}

// What a caller gave; fields that its header didn't have yet are as in `defaults`.
template <typename Struct>
Struct read_struct(const Struct* given, Struct defaults, const char* name, const char* initializer) {
    require_size(given, name, initializer);
    std::memcpy(&defaults, given, given->size);
    return defaults;
}

// As much of `from` as the caller's header has.
template <typename Struct>
void write_struct(Struct from, Struct* to) {
    from.size = to->size;
    std::memcpy(to, &from, to->size);
}

// A model's facts as C has them; the texts are those of `facts` and `metadata`, which must stay where they are.
class ToldFacts {
public:
    ToldFacts(const ModelFacts& facts, const std::string& metadata);
    ToldFacts(const ToldFacts&) = delete;
    ToldFacts& operator=(const ToldFacts&) = delete;

    void tell(nl_model_info* info) const;
    void tell(int32_t index, nl_parameter* parameter) const;

    // Throw HostError where there is no such parameter, or where it doesn't allow the value.
    int32_t index_of(const char* name) const;
    const Parameter& at(int32_t index) const;
    const Parameter& allowing(int32_t index, double value) const;

private:
    const ModelFacts& facts_;
    const std::string& metadata_;
    std::vector<std::vector<const char*>> labels_;  // of each parameter
};

}  // namespace neutone_like
