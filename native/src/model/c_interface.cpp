#include "model/c_interface.hpp"

#include <algorithm>

namespace neutone_like {

namespace {

constexpr size_t kMostWords = 2048;

char* words_of_thread() noexcept {
    thread_local char words[kMostWords] = "";
    return words;
}

void keep(const char* message) noexcept {
    const size_t length = std::min(std::strlen(message), kMostWords - 1);
    std::memmove(words_of_thread(), message, length);
    words_of_thread()[length] = '\0';
}

}  // namespace

#if !defined(__cpp_exceptions)
void keep_last_words(const char* message) noexcept { keep(message); }
#endif

const char* last_words() noexcept { return words_of_thread(); }

nl_result failure(nl_result result, const char* message) noexcept {
    keep(message);
    return result;
}

const char* words_of(nl_result result) noexcept {
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

void require(const void* pointer, const char* name) {
    if (pointer == nullptr) raise(HostError(NL_WRONG_USE, std::string(name) + " must not be NULL."));
}

bool as_flag(const char* field, int32_t value) {
    if (value != 0 && value != 1) {
        raise(HostError(NL_WRONG_USE, std::string(field) + " must be 0 or 1, got " + std::to_string(value) + "."));
    }
    return value == 1;
}

void require_host(const SessionConfig& config) {
#if defined(__cpp_exceptions)
    try {
        check_host(config);
    } catch (const EngineError& error) {
        throw HostError(NL_WRONG_USE, error.what());
    }
#else
    check_host(config);
#endif
}

void require_size(size_t given, size_t known, const char* name, const char* initializer) {
    if (given > sizeof given && given <= known) return;
    raise(HostError(NL_WRONG_USE, std::string(name) + "->size must be that of the struct, at most " +
                                      std::to_string(known) + " bytes in this version of the library, got " +
                                      std::to_string(given) + ". Begin with " + initializer + "."));
}

ToldFacts::ToldFacts(const ModelFacts& facts, const std::string& metadata) : facts_(facts), metadata_(metadata) {
    for (const Parameter& parameter : facts_.parameters) {
        auto& labels = labels_.emplace_back();
        for (const std::string& label : parameter.labels) labels.push_back(label.c_str());
    }
}

void ToldFacts::tell(nl_model_info* info) const {
    require_size(info, "info", "NL_MODEL_INFO_INIT");
    nl_model_info told = NL_MODEL_INFO_INIT;
    told.name = facts_.name.c_str();
    told.version = facts_.version.c_str();
    told.description = facts_.description.c_str();
    told.metadata = metadata_.c_str();
    told.in_channels = facts_.in_channels;
    told.out_channels = facts_.out_channels;
    told.parameter_count = static_cast<int32_t>(facts_.parameters.size());
    told.made_by_neutone_like = facts_.is_ours ? 1 : 0;
    write_struct(told, info);
}

void ToldFacts::tell(int32_t index, nl_parameter* parameter) const {
    const Parameter& known = at(index);
    require_size(parameter, "parameter", "NL_PARAMETER_INIT");
    nl_parameter told = NL_PARAMETER_INIT;
    told.name = known.name.c_str();
    told.description = known.description.c_str();
    told.unit = known.unit.c_str();
    told.labels = labels_[static_cast<size_t>(index)].data();
    told.label_count = static_cast<int32_t>(known.labels.size());
    told.kind = known.is_categorical() ? NL_CATEGORICAL : NL_CONTINUOUS;
    told.minimum = known.minimum;
    told.maximum = known.maximum;
    told.default_value = known.default_value;
    write_struct(told, parameter);
}

int32_t ToldFacts::index_of(const char* name) const {
    require(name, "name");
    std::string known;
    for (size_t index = 0; index < facts_.parameters.size(); ++index) {
        if (facts_.parameters[index].name == name) return static_cast<int32_t>(index);
        known += (index == 0 ? "" : ", ") + facts_.parameters[index].name;
    }
    raise(HostError(NL_NO_PARAMETER, "The model has no parameter '" + std::string(name) + "'; it has " +
                                         (known.empty() ? "none" : known) + "."));
}

const Parameter& ToldFacts::at(int32_t index) const {
    if (index < 0 || index >= static_cast<int32_t>(facts_.parameters.size())) {
        raise(HostError(NL_NO_PARAMETER, "The model has " + std::to_string(facts_.parameters.size()) +
                                             " parameters, and none of the index " + std::to_string(index) + "."));
    }
    return facts_.parameters[static_cast<size_t>(index)];
}

const Parameter& ToldFacts::allowing(int32_t index, double value) const {
    const Parameter& parameter = at(index);
    if (!parameter.allows(value)) {
        raise(HostError(NL_OUT_OF_RANGE, "Parameter '" + parameter.name + "': " + parameter.allowed() + ", got " +
                                             std::to_string(value) + "."));
    }
    return parameter;
}

}  // namespace neutone_like
