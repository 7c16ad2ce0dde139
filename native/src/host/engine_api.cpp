// engine.h: arguments are checked here, and nothing that is thrown gets out.
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "engine/engine.hpp"
#include "host/player.hpp"
#include "model/c_interface.hpp"
#include "neutone_like/engine.h"
#include "neutone_like/version.h"

using namespace neutone_like;

struct nl_engine {
    std::shared_ptr<Engine> engine;
};

struct nl_session {
    explicit nl_session(std::shared_ptr<Engine> engine, const char* model, const char* backend)
        : player(std::move(engine), model, backend), told(player.facts(), player.metadata()) {}

    Player player;
    ToldFacts told;
};

namespace {

// Where the audio may lie; nothing is read.
bool has_rows(const float* const* in, float* const* out) noexcept { return in != nullptr && out != nullptr; }

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

const char* nl_last_error(void) { return last_words(); }

const char* nl_result_text(nl_result result) { return words_of(result); }

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
        *session = new nl_session(engine->engine, model, computed_by);
    });
}

void nl_session_close(nl_session* session) { delete session; }

nl_result nl_get_model_info(const nl_session* session, nl_model_info* info) {
    return guarded([&] {
        require(session, "session");
        session->told.tell(info);
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
        require(session, "session");
        session->told.tell(index, parameter);
    });
}

nl_result nl_find_parameter(const nl_session* session, const char* name, int32_t* index) {
    return guarded([&] {
        require(session, "session");
        require(index, "index");
        *index = session->told.index_of(name);
    });
}

nl_result nl_set_parameter(nl_session* session, const char* name, double value) {
    return guarded([&] {
        require(session, "session");
        const int index = session->told.index_of(name);
        session->told.allowing(index, value);
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
        *value = session->player.parameter(session->told.index_of(name));
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
        require(session, "session");
        require(text, "text");
        copy_text(session->told.allowing(index, value).to_text(value), text, size);
    });
}

nl_result nl_parameter_from_text(const nl_session* session, int32_t index, const char* text, double* value) {
    return guarded([&] {
        require(session, "session");
        require(text, "text");
        require(value, "value");
        *value = session->told.at(index).from_text(text);
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
