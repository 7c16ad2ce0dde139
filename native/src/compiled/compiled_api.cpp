// compiled.h
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compiled/compiled_model.hpp"
#include "compiled/compiled_stream.hpp"
#include "model/adapting.hpp"
#include "model/c_interface.hpp"
#include "neutone_like/compiled.h"

using namespace neutone_like;

namespace {

// Compiled models are always made from models of ours: others know themselves how to be called, in TorchScript.
ModelFacts facts_of(const std::string& metadata) {
    ModelFacts facts = read_model_facts(metadata);
    if (!facts.is_ours) raise(HostError(NL_BAD_MODEL, "metadata.json has no section neutone_like. Compile it again."));
    return facts;
}

}  // namespace

struct nl_compiled {
    explicit nl_compiled(std::shared_ptr<const CompiledModel> of)
        : model(std::move(of)), metadata(model->metadata()), facts(facts_of(metadata)), told(facts, metadata) {
        for (const Parameter& parameter : facts.parameters) {
            values.push_back(parameter.default_value);
            values_0to1.push_back(parameter.to_0to1(parameter.default_value));
        }
    }

    std::shared_ptr<const CompiledModel> model;
    std::string metadata;
    ModelFacts facts;
    ToldFacts told;
    std::vector<double> values;  // of the parameters, in their own units
    std::vector<float> values_0to1;
    int block_size = 0;
    std::unique_ptr<CompiledStream> stream;  // once it is prepared
};

namespace {

constexpr const char* kName = "The model";  // in messages

std::shared_ptr<const CompiledModel> model_of(const void* bytes, size_t count, bool copied) {
    return copied ? CompiledModel::copy(bytes, count, kName) : CompiledModel::in_place(bytes, count, kName);
}

nl_result open(const void* bytes, size_t count, bool copied, nl_compiled** model) noexcept {
    return guarded([&] {
        require(model, "model");
        *model = nullptr;
        require(bytes, "bytes");
        *model = new nl_compiled(model_of(bytes, count, copied));
    });
}

SessionConfig config_of(const ModelFacts& facts, const nl_compiled_host& host) {
    SessionConfig config;
    config.sample_rate = host.sample_rate;
    config.block_size = host.block_size;
    config.channels = host.channels;
    config.varying_blocks = as_flag("varying_blocks", host.varying_blocks);
    config.mode = Mode::inline_;
    require_host(config);
    adapt(config, facts);
    return config;
}

bool has_parameter(const nl_compiled& model, int32_t index) noexcept {
    return index >= 0 && index < static_cast<int32_t>(model.values.size());
}

}  // namespace

extern "C" {

uint32_t nl_compiled_api(void) { return NL_COMPILED_API; }

const char* nl_compiled_last_error(void) { return last_words(); }

nl_result nl_compiled_open(const void* bytes, size_t count, nl_compiled** model) {
    return open(bytes, count, true, model);
}

nl_result nl_compiled_open_in_place(const void* bytes, size_t count, nl_compiled** model) {
    return open(bytes, count, false, model);
}

void nl_compiled_destroy(nl_compiled* model) { delete model; }

nl_result nl_compiled_get_info(const nl_compiled* model, nl_model_info* info) {
    return guarded([&] {
        require(model, "model");
        model->told.tell(info);
    });
}

const char* nl_compiled_kernels(const nl_compiled* model) {
    return model == nullptr ? "" : model->model->first_image().kernels->name;
}

uint64_t nl_compiled_memory_bytes(const nl_compiled* model) {
    if (model == nullptr) return 0;
    return model->model->bytes() + (model->stream == nullptr ? 0 : model->stream->state_bytes());
}

nl_result nl_compiled_prepare(nl_compiled* model, const nl_compiled_host* host) {
    return guarded([&] {
        require(model, "model");
        model->stream = nullptr;
        const auto given = read_struct(host, nl_compiled_host NL_COMPILED_HOST_INIT, "host", "NL_COMPILED_HOST_INIT");
        model->stream = std::make_unique<CompiledStream>(model->model, config_of(model->facts, given));
        model->block_size = given.block_size;
    });
}

nl_result nl_compiled_process(nl_compiled* model, const float* const* in, float* const* out, int32_t samples) {
    if (model == nullptr || samples < 0 || in == nullptr || out == nullptr) return NL_WRONG_USE;
    if (model->stream == nullptr) return NL_NOT_PREPARED;
    if (samples > model->block_size) return NL_BLOCK_TOO_LONG;
    model->stream->process(in, out, samples, model->values_0to1.data());
    return NL_SUCCESS;
}

int32_t nl_compiled_output_channels(const nl_compiled* model) {
    return model == nullptr || model->stream == nullptr ? 0 : model->stream->output_channels();
}

int64_t nl_compiled_latency_samples(const nl_compiled* model) {
    return model == nullptr || model->stream == nullptr ? 0 : model->stream->latency_samples();
}

nl_result nl_compiled_reset(nl_compiled* model) {
    if (model == nullptr) return NL_WRONG_USE;
    if (model->stream == nullptr) return NL_NOT_PREPARED;
    model->stream->reset();
    return NL_SUCCESS;
}

uint64_t nl_compiled_nonfinite_samples(const nl_compiled* model) {
    return model == nullptr || model->stream == nullptr ? 0 : model->stream->nonfinite_samples();
}

uint64_t nl_compiled_nonfinite_input_samples(const nl_compiled* model) {
    return model == nullptr || model->stream == nullptr ? 0 : model->stream->nonfinite_input_samples();
}

nl_result nl_compiled_get_parameter_info(const nl_compiled* model, int32_t index, nl_parameter* parameter) {
    return guarded([&] {
        require(model, "model");
        model->told.tell(index, parameter);
    });
}

nl_result nl_compiled_find_parameter(const nl_compiled* model, const char* name, int32_t* index) {
    return guarded([&] {
        require(model, "model");
        require(index, "index");
        *index = model->told.index_of(name);
    });
}

nl_result nl_compiled_set_parameter(nl_compiled* model, int32_t index, double value) {
    if (model == nullptr) return NL_WRONG_USE;
    if (!has_parameter(*model, index)) return NL_NO_PARAMETER;
    const Parameter& parameter = model->facts.parameters[static_cast<size_t>(index)];
    if (!parameter.allows(value)) return NL_OUT_OF_RANGE;
    model->values[static_cast<size_t>(index)] = value;
    model->values_0to1[static_cast<size_t>(index)] = parameter.to_0to1(value);
    return NL_SUCCESS;
}

nl_result nl_compiled_get_parameter(const nl_compiled* model, int32_t index, double* value) {
    if (model == nullptr || value == nullptr) return NL_WRONG_USE;
    if (!has_parameter(*model, index)) return NL_NO_PARAMETER;
    *value = model->values[static_cast<size_t>(index)];
    return NL_SUCCESS;
}

}  // extern "C"
