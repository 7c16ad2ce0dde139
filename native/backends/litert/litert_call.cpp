#include "litert_call.hpp"

#include <cstdlib>
#include <cstring>
#include <map>

#include "exchange_error.hpp"

namespace neutone_like::litert {

using exchange::Buffers;
using exchange::Memory;
using exchange::Sidecar;

namespace {

using MemoryOf = std::map<std::string, const Memory*>;

MemoryOf inputs_of(const Sidecar& sidecar, const Buffers& buffers, int from) {
    MemoryOf memory{{sidecar.audio_input, &buffers.audio_in}};
    for (size_t index = 0; index < sidecar.parameters.size(); ++index) {
        memory[sidecar.parameters[index].input] = &buffers.parameters[index];
    }
    for (size_t index = 0; index < sidecar.states.size(); ++index) {
        memory[sidecar.states[index].input] = &buffers.states[from][index];
    }
    return memory;
}

MemoryOf outputs_of(const Sidecar& sidecar, const Buffers& buffers, int from) {
    MemoryOf memory{{sidecar.audio_output, &buffers.audio_out}};
    for (size_t index = 0; index < sidecar.states.size(); ++index) {
        memory[sidecar.states[index].output] = &buffers.states[1 - from][index];
    }
    return memory;
}

// Where a tensor lies elsewhere than at the run before, XNNPACK sets itself up again, which takes longer than copying
// as many bytes of state.
constexpr size_t kMostCopied = 16384;

// Everything on the calling thread, which is the engine's.
class OwnOptions {
public:
    explicit OwnOptions(const Library& library) : library_(library) {
        const Interface& lib = library.functions();
        Library::check(lib.create_options(&options_), "make options");
        Library::check(lib.set_accelerators(options_, kCpu), "choose the processor");
        // Options are given as TOML, in memory that the library frees.
        char* const text = static_cast<char*>(std::malloc(sizeof kThreads));
        if (text == nullptr) throw exchange::ExchangeError("There is not enough memory.");
        std::memcpy(text, kThreads, sizeof kThreads);
        OpaqueOptions* threads = nullptr;
        Library::check(lib.create_opaque_options("xnnpack", text, std::free, &threads), "make options");
        Library::check(lib.add_opaque_options(options_, threads), "set an option");
    }
    ~OwnOptions() { library_.functions().destroy_options(options_); }
    OwnOptions(const OwnOptions&) = delete;
    OwnOptions& operator=(const OwnOptions&) = delete;

    Options* get() const noexcept { return options_; }

private:
    static constexpr char kThreads[] = "num_threads = 1\n";

    const Library& library_;
    Options* options_ = nullptr;
};

class LitertCall : public exchange::Call {
public:
    LitertCall(const Library& library, Model* model, const Tensors& tensors, const Sidecar& sidecar,
               const Buffers& buffers)
        : library_(library), buffers_(buffers), copies_(buffers.state_bytes() <= kMostCopied) {
        const OwnOptions options(library);
        CompiledModel* compiled = nullptr;
        Library::check(lib().compile(library.environment(), model, options.get(), &compiled),
                       "compile " + sidecar.path);
        compiled_ = {compiled, lib().destroy_compiled_model};
        for (int from = 0; from < 2; ++from) {
            ways_[from].inputs = views(tensors.inputs, inputs_of(sidecar, buffers, from));
            ways_[from].outputs = views(tensors.outputs, outputs_of(sidecar, buffers, from));
        }
    }

    int run(int, int from) override {
        if (copies_ && from == 1) {
            copy_states();
            from = 0;
        }
        Way& way = ways_[from];
        Library::check(
            lib().run(compiled_.get(), 0, way.inputs.size(), way.inputs.data(), way.outputs.size(), way.outputs.data()),
            "play a block");
        return 1 - from;
    }

private:
    // From one set of states to the other.
    struct Way {
        std::vector<TensorBuffer*> inputs, outputs;
    };
    using Owned = std::unique_ptr<TensorBuffer, void (*)(TensorBuffer*)>;

    const Interface& lib() const noexcept { return library_.functions(); }

    void copy_states() const noexcept {
        for (size_t index = 0; index < buffers_.states[0].size(); ++index) {
            const Memory& source = buffers_.states[1][index];
            std::memcpy(buffers_.states[0][index].data(), source.data(), source.bytes());
        }
    }

    std::vector<TensorBuffer*> views(const std::vector<NamedTensor>& tensors, const MemoryOf& memory_of) {
        std::vector<TensorBuffer*> views;
        for (const NamedTensor& tensor : tensors) {
            const Memory& memory = *memory_of.at(tensor.name);
            TensorBuffer* view = nullptr;
            Library::check(lib().buffer_over(&tensor.type, memory.data(), memory.bytes(), nullptr, &view),
                           "make a tensor for " + tensor.name);
            owned_.emplace_back(view, lib().destroy_buffer);
            views.push_back(view);
        }
        return views;
    }

    const Library& library_;
    const Buffers& buffers_;
    bool copies_;
    std::vector<Owned> owned_;
    Way ways_[2];
    std::unique_ptr<CompiledModel, void (*)(CompiledModel*)> compiled_{nullptr, nullptr};
};

}  // namespace

std::unique_ptr<exchange::Call> make_litert_call(const Library& library, Model* model, const Tensors& tensors,
                                                 const Sidecar& sidecar, const Buffers& buffers) {
    return std::make_unique<LitertCall>(library, model, tensors, sidecar, buffers);
}

}  // namespace neutone_like::litert
