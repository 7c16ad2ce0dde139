#include "engine/compiled_backend.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "compiled/compiled_player.hpp"
#include "engine/compiled_file.hpp"

namespace neutone_like {

namespace {

nl_status fail(nl_error error, const std::string& message) noexcept {
    std::snprintf(error.message, error.size, "%s", message.c_str());
    return NL_ERROR;
}

// Runs `work`, and turns what it throws into a message.
template <typename Work>
nl_status guarded(nl_error error, Work work) noexcept {
    try {
        work();
        return NL_OK;
    } catch (const std::bad_alloc&) {
        return fail(error, "There is not enough memory.");
    } catch (const std::exception& thrown) {
        return fail(error, thrown.what());
    }
}

std::string kernels_option(const std::string& options) {
    const std::string key = "kernels=";
    if (options.empty()) return "";
    if (options.rfind(key, 0) == 0) return options.substr(key.size(), options.find('\n') - key.size());
    throw EngineError("A compiled model takes no option but kernels=NAME, got '" + options +
                      "'. Only models that neutone_like has exported can be compiled.");
}

nl_status create(const char* source, const char* options, void** instance, nl_error error) {
    return guarded(error,
                   [&] { *instance = new CompiledPlayer(read_compiled_model(source, kernels_option(options))); });
}

nl_status clone(void* instance, void** copy, nl_error error) {
    return guarded(error, [&] { *copy = new CompiledPlayer(*static_cast<CompiledPlayer*>(instance)); });
}

nl_status prepare(void* instance, const nl_setup* setup, nl_facts* told, nl_error error) {
    return guarded(error, [&] {
        auto& player = *static_cast<CompiledPlayer*>(instance);
        player.prepare(*setup);
        told->delay_samples = player.delay_samples();
        told->state_count = 0;
        told->states = nullptr;
    });
}

nl_status process(void* instance, const nl_block* block, nl_error error) {
    if (static_cast<CompiledPlayer*>(instance)->process(*block)) return NL_OK;
    std::snprintf(error.message, error.size, "the compiled model takes no block of %d samples",
                  static_cast<int>(block->samples));
    return NL_ERROR;
}

nl_status reset(void* instance, nl_error) {
    static_cast<CompiledPlayer*>(instance)->reset();
    return NL_OK;
}

void destroy(void* instance) { delete static_cast<CompiledPlayer*>(instance); }

const nl_backend kCompiled = {NL_BACKEND_ABI, "compiled", create, clone, prepare, process, reset, destroy, nullptr};

}  // namespace

const nl_backend* compiled_backend() noexcept { return &kCompiled; }

nl_status compiled_metadata(const char* source, char* text, size_t size, size_t* length, nl_error error) {
    return guarded(error, [&] {
        const std::string metadata = read_compiled_model(source)->metadata();
        *length = metadata.size();
        std::memcpy(text, metadata.data(), std::min(size, metadata.size()));
    });
}

}  // namespace neutone_like
