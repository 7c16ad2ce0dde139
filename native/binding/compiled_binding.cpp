// A compiled model by itself, for the rest of the package: what it says of itself, and its sound.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "compiled/compiled_model.hpp"
#include "engine/realtime_thread.hpp"
#include "python_threads.hpp"

namespace neutone_like {

namespace {

using Values = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

std::shared_ptr<const CompiledModel> copy_of(const nb::bytes& data, const std::string& kernels,
                                             const std::string& name) {
    return CompiledModel::copy(data.c_str(), data.size(), name, kernels);
}

// `rate` 0: whatever comes first.
CompiledInstance instance_of(const std::shared_ptr<const CompiledModel>& model, int rate) {
    const compiled::Image* image = rate == 0 ? &model->first_image() : model->image_at(rate);
    if (image == nullptr) throw EngineError("The compiled model has no plan for " + std::to_string(rate) + " Hz.");
    return CompiledInstance(model, *image);
}

struct PlayedModel {
    PlayedModel(const nb::bytes& data, const std::string& kernels, const std::string& name, int rate)
        : instance(instance_of(copy_of(data, kernels, name), rate)) {}
    PlayedModel(const PlayedModel& other, int rate) : instance(instance_of(other.instance.model(), rate)) {}

    const compiled::Image& image() const noexcept { return instance.image(); }
    const compiled::Facts& facts() const noexcept { return instance.facts(); }

    CompiledInstance instance;
    std::mutex playing;
    const pid_t process = getpid();
};

nb::dict facts_of(const PlayedModel& model) {
    const compiled::Facts& facts = model.facts();
    nb::dict told;
    told["shortest"] = facts.shortest;
    told["multiple_of"] = facts.multiple_of;
    told["granule"] = facts.granule;
    told["look_behind"] = facts.look_behind;
    told["in_channels"] = facts.in_channels;
    told["out_channels"] = facts.out_channels;
    told["parameters"] = facts.parameters;
    told["delay_samples"] = facts.delay_samples;
    told["steps"] = model.image().step_count;
    told["arena_bytes"] = facts.arena_bytes;
    told["state_bytes"] = facts.state_bytes;
    told["constant_bytes"] = model.image().constant_bytes;
    return told;
}

// Hz, one of each plan; none where there is one plan.
std::vector<int> rates_of(const PlayedModel& model) {
    const compiled::Image& image = model.image();
    return image.rates == nullptr ? std::vector<int>{} : std::vector<int>(image.rates, image.rates + image.plans);
}

nb::ndarray<nb::numpy, float> matrix(const float* values, int64_t rows, int64_t columns) {
    auto array = make_array<float>({static_cast<size_t>(rows), static_cast<size_t>(columns)});
    std::copy_n(values, rows * columns, array.data());
    return array;
}

// The input with its past, a column of parameters, the output; None without a test vector.
nb::object test_vector(const PlayedModel& model) {
    const float* values = model.image().test_vector;
    if (values == nullptr) return nb::none();
    const compiled::Facts& facts = model.facts();
    const int64_t samples = int64_t{facts.look_behind} + facts.test_samples;
    const auto input = matrix(values, facts.in_channels, samples);
    values += facts.in_channels * samples;
    const auto parameters = matrix(values, facts.parameters, 1);
    return nb::make_tuple(input, parameters, matrix(values + facts.parameters, facts.out_channels, facts.test_samples));
}

void require_values(const std::vector<Values>& values, const compiled::Facts& facts, size_t samples) {
    require_shape("parameters", values.size(), static_cast<size_t>(facts.parameters));
    for (const Values& each : values) {
        if (each.shape(0) != 1) require_shape("values of a parameter (one, or one a sample)", each.shape(0), samples);
    }
}

nb::ndarray<nb::numpy, float> play(PlayedModel& model, const AudioIn& audio, const std::vector<Values>& values) {
    const compiled::Facts& facts = model.facts();
    require_shape("channels in", audio.shape(0), static_cast<size_t>(facts.in_channels));
    const auto past = static_cast<size_t>(facts.look_behind);
    if (audio.shape(1) < past) require_shape("samples of the past", audio.shape(1), past);
    const size_t samples = audio.shape(1) - past;
    require_values(values, facts, samples);
    auto output = make_array<float>({static_cast<size_t>(facts.out_channels), samples});
    const auto in = rows(audio);
    const auto out = rows(output);
    std::vector<const float*> value_rows;
    std::vector<int32_t> lengths;
    for (const Values& each : values) {
        value_rows.push_back(each.data());
        lengths.push_back(static_cast<int32_t>(each.shape(0)));
    }
    const compiled::Passage passage{static_cast<int64_t>(samples), in.data(), out.data(), value_rows.data(),
                                    lengths.data()};
    bool played = false;
    const std::unique_lock lock(model.playing, std::try_to_lock);
    if (!lock.owns_lock()) {
        throw EngineError(
            "Another thread is inside process() of this compiled model, which keeps state: two signals at once would be "
            "mixed. Use one for each thread, such as copy.copy(model).");
    }
    {
        const GilReleased released;
        const FlushDenormals flush;
        played = model.instance.process(passage);
    }
    if (!played) throw EngineError("The compiled model takes no " + std::to_string(samples) + " samples at once.");
    return output;
}

void reset(PlayedModel& model) {
    std::unique_lock lock(model.playing, std::try_to_lock);
    if (!lock.owns_lock() && model.process != getpid()) {
        throw EngineError(
            "A thread was inside process() of this compiled model when this process was forked off, and did not come "
            "along. Use a model of its own here, such as copy.copy(model).");
    }
    const GilReleased released;
    if (!lock.owns_lock()) lock.lock();
    model.instance.reset();
}

std::vector<std::string> kernel_names() {
    std::vector<std::string> names;
    for (const char* name : {"x86-64-v2", "x86-64-v3", "x86-64-v4", "x86-64-v4-vnni", "x86-64-v4-halves", "neon",
                             "wasm-simd128", "plain"}) {
        if (compiled::kernels_named(name) != nullptr) names.emplace_back(name);
    }
    return names;
}

}  // namespace

void bind_compiled(nb::module_& module) {
    module.def("compiled_kernels", &kernel_names);
    nb::class_<PlayedModel>(module, "CompiledModel")
        .def(nb::init<const nb::bytes&, const std::string&, const std::string&, int>(), nb::arg("data"),
             nb::arg("kernels") = "", nb::arg("name") = "This file", nb::arg("rate") = 0)
        .def(nb::init<const PlayedModel&, int>(), nb::arg("other"), nb::arg("rate"))
        .def_prop_ro("rates", &rates_of)
        .def_prop_ro("kernels", [](const PlayedModel& model) { return model.image().kernels->name; })
        .def_prop_ro("instance_bytes", [](const PlayedModel& model) { return model.instance.bytes(); })
        .def("facts", &facts_of)
        .def("metadata",
             [](const PlayedModel& model) { return nb::bytes(model.image().metadata, model.image().metadata_bytes); })
        .def("test_vector", &test_vector)
        .def("takes", [](const PlayedModel& model, int64_t samples) { return compiled::takes(model.image(), samples); })
        .def("play", &play, nb::arg("audio"), nb::arg("parameters"))
        .def("reset", &reset);
}

}  // namespace neutone_like
