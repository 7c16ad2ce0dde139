#include "engine/builtin_backends.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "engine/realtime_thread.hpp"
#include "signal/config.hpp"

namespace neutone_like {

namespace {

nl_status fail(nl_error error, nl_status status, const std::string& message) noexcept {
    std::snprintf(error.message, error.size, "%s", message.c_str());
    return status;
}

struct Model {
    nl_setup setup{};
    std::map<std::string, double> options;
    int64_t block = 0;
    std::vector<std::vector<float>> delay_line;

    double option(const char* name, double otherwise) const {
        const auto found = options.find(name);
        return found == options.end() ? otherwise : found->second;
    }
    bool is_block(const char* name) const { return option(name, -1.0) == static_cast<double>(block); }
};

const char* const kOptions[] = {"stall_ms",     "stall_block", "stall_count",      "stall_every",
                                "throw_block",  "nan_block",   "wrong_size_block", "hang_block",
                                "hang_seconds", "work_us",     "delay_samples"};

nl_status create(const char*, const char* options, void** instance, nl_error error) {
    auto model = std::make_unique<Model>();
    std::istringstream lines(options);
    for (std::string line; std::getline(lines, line);) {
        const size_t equals = line.find('=');
        const std::string name = line.substr(0, equals);
        const bool known =
            std::any_of(std::begin(kOptions), std::end(kOptions), [&](auto text) { return name == text; });
        char* end = nullptr;
        const std::string value = equals == std::string::npos ? "" : line.substr(equals + 1);
        const double number = std::strtod(value.c_str(), &end);
        if (!known || value.empty() || *end != '\0') {
            return fail(error, NL_ERROR, "expected an option such as stall_ms=30, got '" + line + "'");
        }
        model->options[name] = number;
    }
    *instance = model.release();
    return NL_OK;
}

nl_status clone(void* instance, void** copy, nl_error) {
    auto* model = new Model(*static_cast<Model*>(instance));
    // A copy is for warming up: it works as hard as the model, and does nothing wrong.
    for (const char* fault : {"stall_block", "throw_block", "nan_block", "wrong_size_block", "hang_block"}) {
        model->options.erase(fault);
    }
    *copy = model;
    return NL_OK;
}

nl_status prepare(void* instance, const nl_setup* setup, nl_facts* facts, nl_error) {
    auto* model = static_cast<Model*>(instance);
    model->setup = *setup;
    facts->delay_samples = static_cast<int32_t>(model->option("delay_samples", 0.0));
    model->delay_line.assign(setup->in_channels, std::vector<float>(facts->delay_samples, 0.0f));
    return NL_OK;
}

nl_status prepare_one_pole(void* instance, const nl_setup* setup, nl_facts* facts, nl_error error) {
    static const nl_state_spec state{"y", 64, nullptr};  // a value for each channel that an engine allows
    facts->state_count = 1;
    facts->states = &state;
    return prepare(instance, setup, facts, error);
}

nl_status reset(void* instance, nl_error) {
    auto* model = static_cast<Model*>(instance);
    for (auto& line : model->delay_line) std::fill(line.begin(), line.end(), 0.0f);
    return NL_OK;
}

void destroy(void* instance) { delete static_cast<Model*>(instance); }

nl_status identity(void* instance, const nl_block* block, nl_error) {
    const nl_setup& setup = static_cast<Model*>(instance)->setup;
    const int64_t stride = setup.look_behind + block->samples;
    for (int channel = 0; channel < setup.out_channels; ++channel) {
        const int from = std::min(channel, setup.in_channels - 1);
        std::copy_n(block->audio_in + from * stride + setup.look_behind, block->samples,
                    block->audio_out + static_cast<int64_t>(channel) * block->samples);
    }
    return NL_OK;
}

nl_status one_pole(void* instance, const nl_block* block, nl_error) {
    const nl_setup& setup = static_cast<Model*>(instance)->setup;
    const int64_t stride = setup.look_behind + block->samples;
    std::copy_n(block->states_in[0], 64, block->states_out[0]);
    for (int channel = 0; channel < setup.out_channels; ++channel) {
        const float* x = block->audio_in + std::min(channel, setup.in_channels - 1) * stride + setup.look_behind;
        float* y = block->audio_out + static_cast<int64_t>(channel) * block->samples;
        float& last = block->states_out[0][channel];
        for (int i = 0; i < block->samples; ++i) y[i] = last = x[i] + 0.5f * last;
    }
    return NL_OK;
}

void misspend_time(const Model& model) {
    const auto first = static_cast<int64_t>(model.option("stall_block", -1.0));
    const auto every = static_cast<int64_t>(model.option("stall_every", 1.0));
    const int64_t since = model.block - first;
    if (first >= 0 && since >= 0 && since % every == 0 && since / every < model.option("stall_count", 1.0)) {
        std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(model.option("stall_ms", 30.0)));
    }
    if (model.is_block("hang_block")) {
        std::this_thread::sleep_for(std::chrono::duration<double>(model.option("hang_seconds", 3600.0)));
    }
    const uint64_t end = now_ns() + static_cast<uint64_t>(1e3 * model.option("work_us", 0.0));
    while (model.option("work_us", 0.0) > 0.0 && now_ns() < end) {
    }
}

void add_past(const Model& model, const nl_block* block) {
    const int64_t look_behind = model.setup.look_behind;
    for (int channel = 0; look_behind > 0 && channel < model.setup.out_channels; ++channel) {
        const int from = std::min(channel, model.setup.in_channels - 1);
        const float* past = block->audio_in + from * (look_behind + block->samples);
        float* out = block->audio_out + static_cast<int64_t>(channel) * block->samples;
        for (int i = 0; i < block->samples; ++i) out[i] += 0.5f * past[i];
    }
}

void add_delay(Model& model, const nl_block* block) {
    for (int channel = 0; channel < model.setup.out_channels; ++channel) {
        std::vector<float>& line = model.delay_line[std::min<size_t>(channel, model.delay_line.size() - 1)];
        float* out = block->audio_out + static_cast<int64_t>(channel) * block->samples;
        if (line.empty() || channel >= model.setup.in_channels) continue;
        line.insert(line.end(), out, out + block->samples);
        std::copy_n(line.begin(), block->samples, out);
        line.erase(line.begin(), line.begin() + block->samples);
    }
}

void apply_gain(const Model& model, const nl_block* block) {
    for (int index = 0; index < model.setup.parameter_count; ++index) {
        if (index > 0) break;  // the first parameter is the gain
        const bool per_sample = block->parameter_lengths[index] > 1;
        for (int channel = 0; channel < model.setup.out_channels; ++channel) {
            float* out = block->audio_out + static_cast<int64_t>(channel) * block->samples;
            for (int i = 0; i < block->samples; ++i) out[i] *= block->parameters[index][per_sample ? i : 0];
        }
    }
}

nl_status faults(void* instance, const nl_block* block, nl_error error) {
    auto* model = static_cast<Model*>(instance);
    misspend_time(*model);
    identity(instance, block, error);
    add_past(*model, block);
    add_delay(*model, block);
    apply_gain(*model, block);
    nl_status status = NL_OK;
    if (model->is_block("throw_block")) status = fail(error, NL_ERROR, "this block was told to fail");
    if (model->is_block("wrong_size_block"))
        status = fail(error, NL_WRONG_SHAPE, "this block was told to be too short");
    if (model->is_block("nan_block")) block->audio_out[0] = std::numeric_limits<float>::quiet_NaN();
    ++model->block;
    return status;
}

const nl_backend kBackends[] = {
    {NL_BACKEND_ABI, "identity", create, clone, prepare, identity, reset, destroy, nullptr},
    {NL_BACKEND_ABI, "one_pole", create, clone, prepare_one_pole, one_pole, reset, destroy, nullptr},
    {NL_BACKEND_ABI, "faults", create, clone, prepare, faults, reset, destroy, nullptr},
};

}  // namespace

const nl_backend* builtin_backend(const std::string& name) {
    std::string names;
    for (const nl_backend& backend : kBackends) {
        if (name == backend.name) return &backend;
        names += std::string(names.empty() ? "" : ", ") + backend.name;
    }
    throw EngineError("There is no backend '" + name + "'; built in are: " + names + ".");
}

std::vector<std::string> builtin_backend_names() {
    std::vector<std::string> names;
    for (const nl_backend& backend : kBackends) names.emplace_back(backend.name);
    return names;
}

}  // namespace neutone_like
