#include "engine/compiled_backend.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "engine/compiled_model.hpp"

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

struct Playing {
    std::unique_ptr<CompiledInstance> instance;
    std::vector<const float*> in_rows;
    std::vector<float*> out_rows;

    explicit Playing(std::shared_ptr<const CompiledModel> model)
        : instance(std::make_unique<CompiledInstance>(std::move(model))) {
        size();
    }
    Playing(const Playing& other) : instance(std::make_unique<CompiledInstance>(*other.instance)) { size(); }

    void size() {
        in_rows.resize(static_cast<size_t>(facts().in_channels));
        out_rows.resize(static_cast<size_t>(facts().out_channels));
    }
    const compiled::Facts& facts() const noexcept { return instance->facts(); }

    // Goes on with the plan for a rate, from its beginning where that is another one.
    void change_to(int rate) {
        const std::shared_ptr<const CompiledModel>& model = instance->model();
        const compiled::Image* image = model->image_at(rate);
        if (image == nullptr) {
            throw EngineError("sample_rate: the compiled model has no plan for " + std::to_string(rate) + " Hz.");
        }
        if (image == &instance->image()) return;
        instance = std::make_unique<CompiledInstance>(model, *image);
        size();
    }
};

std::string kernels_option(const std::string& options) {
    const std::string key = "kernels=";
    if (options.empty()) return "";
    if (options.rfind(key, 0) == 0) return options.substr(key.size(), options.find('\n') - key.size());
    throw EngineError("A compiled model takes no option but kernels=NAME, got '" + options +
                      "'. Only models that neutone_like has exported can be compiled.");
}

nl_status create(const char* source, const char* options, void** instance, nl_error error) {
    return guarded(error, [&] { *instance = new Playing(CompiledModel::read(source, kernels_option(options))); });
}

nl_status clone(void* instance, void** copy, nl_error error) {
    return guarded(error, [&] { *copy = new Playing(*static_cast<Playing*>(instance)); });
}

void require(const char* what, int64_t setup, int64_t model) {
    if (setup == model) return;
    throw EngineError(std::string(what) + ": the compiled model has " + std::to_string(model) +
                      ", it is prepared for " + std::to_string(setup) + ".");
}

void require_blocks(const compiled::Image& image, const nl_setup& setup) {
    const compiled::Facts& facts = *image.facts;
    // Where one sample can be played, any number can.
    if (compiled::takes(image, setup.fixed_block != 0 ? setup.longest_block : 1)) return;
    const std::string lengths = facts.shortest == facts.granule ? "multiples of " + std::to_string(facts.shortest)
                                                                : "multiples of " + std::to_string(facts.multiple_of) +
                                                                      " from " + std::to_string(facts.shortest) + " on";
    throw EngineError("longest_block: the compiled model takes blocks of " + lengths + " samples, not " +
                      (setup.fixed_block != 0 ? "" : "any up to ") + std::to_string(setup.longest_block) + ".");
}

nl_status prepare(void* instance, const nl_setup* setup, nl_facts* told, nl_error error) {
    return guarded(error, [&] {
        auto& playing = *static_cast<Playing*>(instance);
        playing.change_to(setup->sample_rate);
        const compiled::Image& image = playing.instance->image();
        const compiled::Facts& facts = *image.facts;
        require("in_channels", setup->in_channels, facts.in_channels);
        require("out_channels", setup->out_channels, facts.out_channels);
        require("look_behind", setup->look_behind, facts.look_behind);
        require("parameter_count", setup->parameter_count, facts.parameters);
        require_blocks(image, *setup);
        told->delay_samples = facts.delay_samples;
        told->state_count = 0;
        told->states = nullptr;
    });
}

nl_status process(void* instance, const nl_block* block, nl_error error) {
    auto& playing = *static_cast<Playing*>(instance);
    const int64_t stride = playing.facts().look_behind + block->samples;
    for (size_t row = 0; row < playing.in_rows.size(); ++row) {
        playing.in_rows[row] = block->audio_in + static_cast<int64_t>(row) * stride;
    }
    for (size_t row = 0; row < playing.out_rows.size(); ++row) {
        playing.out_rows[row] = block->audio_out + static_cast<int64_t>(row) * block->samples;
    }
    const compiled::Passage passage{block->samples, playing.in_rows.data(), playing.out_rows.data(), block->parameters,
                                    block->parameter_lengths};
    if (playing.instance->process(passage)) return NL_OK;
    std::snprintf(error.message, error.size, "the compiled model takes no block of %d samples",
                  static_cast<int>(block->samples));
    return NL_ERROR;
}

nl_status reset(void* instance, nl_error) {
    static_cast<Playing*>(instance)->instance->reset();
    return NL_OK;
}

void destroy(void* instance) { delete static_cast<Playing*>(instance); }

const nl_backend kCompiled = {NL_BACKEND_ABI, "compiled", create, clone, prepare, process, reset, destroy, nullptr};

}  // namespace

const nl_backend* compiled_backend() noexcept { return &kCompiled; }

nl_status compiled_metadata(const char* source, char* text, size_t size, size_t* length, nl_error error) {
    return guarded(error, [&] {
        const std::string metadata = CompiledModel::read(source)->metadata();
        *length = metadata.size();
        std::memcpy(text, metadata.data(), std::min(size, metadata.size()));
    });
}

}  // namespace neutone_like
