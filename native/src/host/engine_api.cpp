// engine.h: arguments are checked here, and nothing that is thrown gets out.
#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "engine/engine.hpp"
#include "host/host_error.hpp"
#include "host/player.hpp"
#include "neutone_like/engine.h"
#include "neutone_like/version.h"

using namespace neutone_like;

struct nl_engine {
    std::shared_ptr<Engine> engine;
};

struct nl_session {
    Player player;
    std::vector<std::vector<const char*>> labels;  // of each parameter
};

namespace {

std::string& last_error() {
    thread_local std::string text;
    return text;
}

nl_result failure(nl_result result, const char* message) noexcept {
    try {
        last_error() = message;
    } catch (const std::bad_alloc&) {
        last_error().clear();
    }
    return result;
}

// Runs `work`, and turns what it throws into a result and a message.
template <typename Work>
nl_result guarded(Work&& work) noexcept {
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
}

void require(const void* pointer, const char* name) {
    if (pointer == nullptr) throw HostError(NL_WRONG_USE, std::string(name) + " must not be NULL.");
}

template <typename Struct>
void require_size(const Struct* given, const char* name, const char* initializer) {
    require(given, name);
    if (given->size <= sizeof given->size || given->size > sizeof(Struct)) {
        throw HostError(NL_WRONG_USE, std::string(name) + "->size must be that of the struct, at most " +
                                          std::to_string(sizeof(Struct)) +
                                          " bytes in this version of the library, got " + std::to_string(given->size) +
                                          ". Begin with " + initializer + ".");
    }
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

// Where the audio may lie; nothing is read.
bool has_rows(const float* const* in, float* const* out) noexcept { return in != nullptr && out != nullptr; }

int index_of(const Player& player, const char* name) {
    require(name, "name");
    const auto& parameters = player.facts().parameters;
    std::string known;
    for (size_t index = 0; index < parameters.size(); ++index) {
        if (parameters[index].name == name) return static_cast<int>(index);
        known += (index == 0 ? "" : ", ") + parameters[index].name;
    }
    throw HostError(NL_NO_PARAMETER, "The model has no parameter '" + std::string(name) + "'; it has " +
                                         (known.empty() ? "none" : known) + ".");
}

const Parameter& parameter_at(const nl_session* session, int32_t index) {
    require(session, "session");
    if (!session->player.has_parameter(index)) {
        throw HostError(NL_NO_PARAMETER, "The model has " + std::to_string(session->player.facts().parameters.size()) +
                                             " parameters, and none of the index " + std::to_string(index) + ".");
    }
    return session->player.facts().parameters[static_cast<size_t>(index)];
}

void require_allowed(const Parameter& parameter, double value) {
    if (parameter.allows(value)) return;
    throw HostError(NL_OUT_OF_RANGE, "Parameter '" + parameter.name + "': " + parameter.allowed() + ", got " +
                                         std::to_string(value) + ".");
}

void copy_text(const std::string& from, char* text, size_t size) {
    if (from.size() >= size) {
        throw HostError(NL_WRONG_USE, "The text needs " + std::to_string(from.size() + 1) + " bytes, got room for " +
                                          std::to_string(size) + ".");
    }
    std::memcpy(text, from.c_str(), from.size() + 1);
}

}  // namespace

extern "C" {

uint32_t nl_engine_api(void) { return NL_ENGINE_API; }

const char* nl_version(void) { return NEUTONE_LIKE_VERSION; }

const char* nl_last_error(void) { return last_error().c_str(); }

const char* nl_result_text(nl_result result) {
    switch (result) {
        case NL_SUCCESS: return "success";
        case NL_WRONG_USE: return "an argument that can't be";
        case NL_NO_BACKEND: return "the backend can't be loaded";
        case NL_BAD_MODEL: return "the model can't be played";
        case NL_NO_PARAMETER: return "the model has no such parameter";
        case NL_OUT_OF_RANGE: return "the parameter has no such value";
        case NL_NO_MEMORY: return "not enough memory";
        case NL_FAILED: return "the model or the engine failed";
        case NL_BLOCK_TOO_LONG: return "a block was longer than promised";
        case NL_TWO_THREADS: return "another thread is inside nl_process";
        case NL_NOT_PREPARED: return "nothing is prepared";
        case NL_CLOSED: return "the engine was destroyed";
    }
    return "no result of this library";
}

nl_result nl_engine_create(const nl_engine_options* options, nl_engine** engine) {
    return guarded([&] {
        require(engine, "engine");
        *engine = nullptr;
        nl_engine_options chosen = NL_ENGINE_OPTIONS_INIT;
        if (options != nullptr) chosen = read_struct(options, chosen, "options", "NL_ENGINE_OPTIONS_INIT");
        EngineConfig config;
        config.workers = chosen.workers;
        config.polling = chosen.polling != 0;
        config.realtime_priority = chosen.realtime_priority != 0;
        config.watchdog_seconds = chosen.watchdog_seconds;
        *engine = new nl_engine{std::make_shared<Engine>(config)};
    });
}

void nl_engine_destroy(nl_engine* engine) {
    if (engine == nullptr) return;
    engine->engine->close();  // sessions may hold it longer
    delete engine;
}

nl_result nl_session_open(nl_engine* engine, const char* model, const char* backend, nl_session** session) {
    return guarded([&] {
        require(session, "session");
        *session = nullptr;
        require(engine, "engine");
        require(model, "model");
        const char* computed_by = backend == nullptr ? "" : backend;
        std::unique_ptr<nl_session> made(new nl_session{Player(engine->engine, model, computed_by), {}});
        for (const Parameter& parameter : made->player.facts().parameters) {
            auto& labels = made->labels.emplace_back();
            for (const std::string& label : parameter.labels) labels.push_back(label.c_str());
        }
        *session = made.release();
    });
}

void nl_session_close(nl_session* session) { delete session; }

nl_result nl_get_model_info(const nl_session* session, nl_model_info* info) {
    return guarded([&] {
        require(session, "session");
        require_size(info, "info", "NL_MODEL_INFO_INIT");
        const ModelFacts& facts = session->player.facts();
        nl_model_info told = NL_MODEL_INFO_INIT;
        told.name = facts.name.c_str();
        told.version = facts.version.c_str();
        told.description = facts.description.c_str();
        told.metadata = session->player.metadata().c_str();
        told.in_channels = facts.in_channels;
        told.out_channels = facts.out_channels;
        told.parameter_count = static_cast<int32_t>(facts.parameters.size());
        told.made_by_neutone_like = facts.is_ours ? 1 : 0;
        write_struct(told, info);
    });
}

nl_result nl_prepare(nl_session* session, const nl_host* host) {
    return guarded([&] {
        require(session, "session");
        session->player.prepare(read_struct(host, nl_host NL_HOST_INIT, "host", "NL_HOST_INIT"));
    });
}

nl_result nl_process(nl_session* session, const float* const* in, float* const* out, int32_t samples) {
    if (session == nullptr || samples < 0 || !has_rows(in, out)) return NL_WRONG_USE;
    return session->player.process(in, out, samples);
}

int32_t nl_output_channels(const nl_session* session) {
    return session == nullptr ? 0 : session->player.output_channels();
}

int64_t nl_latency_samples(const nl_session* session) {
    return session == nullptr ? 0 : session->player.latency_samples();
}

nl_result nl_process_offline(nl_session* session, const float* const* in, float* const* out, int64_t samples) {
    return guarded([&] {
        require(session, "session");
        if (samples < 0 || !has_rows(in, out)) throw HostError(NL_WRONG_USE, "Expected audio of at least 0 samples.");
        session->player.process_offline(in, out, samples);
    });
}

nl_result nl_reset(nl_session* session) {
    return guarded([&] {
        require(session, "session");
        session->player.reset();
    });
}

nl_result nl_get_parameter_info(const nl_session* session, int32_t index, nl_parameter* parameter) {
    return guarded([&] {
        const Parameter& known = parameter_at(session, index);
        require_size(parameter, "parameter", "NL_PARAMETER_INIT");
        nl_parameter told = NL_PARAMETER_INIT;
        told.name = known.name.c_str();
        told.description = known.description.c_str();
        told.unit = known.unit.c_str();
        told.labels = session->labels[index].data();
        told.label_count = static_cast<int32_t>(known.labels.size());
        told.kind = known.is_categorical() ? NL_CATEGORICAL : NL_CONTINUOUS;
        told.minimum = known.minimum;
        told.maximum = known.maximum;
        told.default_value = known.default_value;
        write_struct(told, parameter);
    });
}

nl_result nl_find_parameter(const nl_session* session, const char* name, int32_t* index) {
    return guarded([&] {
        require(session, "session");
        require(index, "index");
        *index = index_of(session->player, name);
    });
}

nl_result nl_set_parameter(nl_session* session, const char* name, double value) {
    return guarded([&] {
        require(session, "session");
        const int index = index_of(session->player, name);
        require_allowed(parameter_at(session, index), value);
        session->player.set_parameter(index, value);
    });
}

nl_result nl_set_parameter_at(nl_session* session, int32_t index, double value) {
    return session == nullptr ? NL_WRONG_USE : session->player.set_parameter(index, value);
}

nl_result nl_get_parameter(const nl_session* session, const char* name, double* value) {
    return guarded([&] {
        require(session, "session");
        require(value, "value");
        *value = session->player.parameter(index_of(session->player, name));
    });
}

nl_result nl_get_parameter_at(const nl_session* session, int32_t index, double* value) {
    if (session == nullptr || value == nullptr) return NL_WRONG_USE;
    if (!session->player.has_parameter(index)) return NL_NO_PARAMETER;
    *value = session->player.parameter(index);
    return NL_SUCCESS;
}

nl_result nl_parameter_to_text(const nl_session* session, int32_t index, double value, char* text, size_t size) {
    return guarded([&] {
        const Parameter& parameter = parameter_at(session, index);
        require(text, "text");
        require_allowed(parameter, value);
        copy_text(parameter.to_text(value), text, size);
    });
}

nl_result nl_parameter_from_text(const nl_session* session, int32_t index, const char* text, double* value) {
    return guarded([&] {
        const Parameter& parameter = parameter_at(session, index);
        require(text, "text");
        require(value, "value");
        *value = parameter.from_text(text);
    });
}

nl_result nl_get_statistics(const nl_session* session, nl_statistics* statistics) {
    return guarded([&] {
        require(session, "session");
        require_size(statistics, "statistics", "NL_STATISTICS_INIT");
        nl_statistics told = NL_STATISTICS_INIT;
        session->player.read(told);
        write_struct(told, statistics);
    });
}

}  // extern "C"
