#include "onnx_call.hpp"

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "onnx_network.hpp"

namespace neutone_like::onnxruntime {

using exchange::Buffers;
using exchange::ElementType;
using exchange::Memory;
using exchange::Shape;
using exchange::Sidecar;

namespace {

// Lengths of blocks whose bindings are kept: where rates are converted, blocks come in a few lengths by turns.
constexpr size_t kKept = 8;

// Both ways of playing blocks of one length: from each set of states to the other.
class Bound {
public:
    Bound(const Library& library, Session* session, const Sidecar& sidecar, const Buffers& buffers, int samples)
        : library_(library), samples_(samples) {
        for (int from = 0; from < 2; ++from) {
            ::neutone_like::onnxruntime::Binding* made = nullptr;
            library.check(ort().create_binding(session, &made), "bind memory");
            bindings_[from] = {made, ort().release_binding};
            bind(sidecar, buffers, from);
        }
    }

    int samples() const noexcept { return samples_; }
    void run(Session* session, int from) const {
        library_.check(ort().run(session, nullptr, bindings_[from].get()), "play a block");
    }

private:
    using OwnBinding = std::unique_ptr<Binding, void (*)(Binding*)>;
    using OwnValue = std::unique_ptr<Value, void (*)(Value*)>;

    const Interface& ort() const noexcept { return library_.functions(); }

    void bind(const Sidecar& sidecar, const Buffers& buffers, int from) {
        constexpr ElementType kFloat = ElementType::float32;
        input(from, sidecar.audio_input, buffers.audio_in, {sidecar.in_channels, sidecar.look_behind + samples_},
              kFloat);
        output(from, sidecar.audio_output, buffers.audio_out, {sidecar.out_channels, samples_}, kFloat);
        for (size_t index = 0; index < sidecar.parameters.size(); ++index) {
            const auto& parameter = sidecar.parameters[index];
            input(from, parameter.input, buffers.parameters[index], {parameter.per_sample ? samples_ : 1}, kFloat);
        }
        for (size_t index = 0; index < sidecar.states.size(); ++index) {
            const auto& state = sidecar.states[index];
            input(from, state.input, buffers.states[from][index], state.shape, state.type);
            output(from, state.output, buffers.states[1 - from][index], state.shape, state.type);
        }
    }

    void input(int from, const std::string& name, const Memory& memory, const Shape& shape, ElementType type) {
        const OwnValue value = tensor(memory, shape, type);
        library_.check(ort().bind_input(bindings_[from].get(), name.c_str(), value.get()), "bind " + name);
    }

    void output(int from, const std::string& name, const Memory& memory, const Shape& shape, ElementType type) {
        const OwnValue value = tensor(memory, shape, type);
        library_.check(ort().bind_output(bindings_[from].get(), name.c_str(), value.get()), "bind " + name);
    }

    // A view of the start of the memory. What it is bound to holds it from then on.
    OwnValue tensor(const Memory& memory, const Shape& shape, ElementType type) const {
        const size_t bytes = static_cast<size_t>(exchange::elements_of(shape)) * exchange::bytes_of(type);
        Value* value = nullptr;
        library_.check(ort().tensor_over(library_.memory(), memory.data(), bytes, shape.data(), shape.size(),
                                         onnx_type(type), &value),
                       "make a tensor");
        return {value, ort().release_value};
    }

    const Library& library_;
    int samples_;
    std::array<OwnBinding, 2> bindings_{OwnBinding{nullptr, nullptr}, OwnBinding{nullptr, nullptr}};
};

class OnnxCall : public exchange::Call {
public:
    OnnxCall(const Library& library, std::shared_ptr<Session> session, const Sidecar& sidecar, const Buffers& buffers)
        : library_(library), session_(std::move(session)), sidecar_(sidecar), buffers_(buffers) {
        bound(buffers.longest_samples);
    }

    int run(int samples, int from) override {
        bound(samples).run(session_.get(), from);
        return 1 - from;
    }

private:
    const Bound& bound(int samples) {
        for (const auto& each : kept_) {
            if (each != nullptr && each->samples() == samples) return *each;
        }
        auto& oldest = kept_[next_];
        oldest = std::make_unique<Bound>(library_, session_.get(), sidecar_, buffers_, samples);
        next_ = next_ + 1 < kKept ? next_ + 1 : 1;  // the first, for the longest block, stays
        return *oldest;
    }

    const Library& library_;
    std::shared_ptr<Session> session_;
    const Sidecar& sidecar_;
    const Buffers& buffers_;
    std::array<std::unique_ptr<Bound>, kKept> kept_;
    size_t next_ = 0;
};

}  // namespace

std::unique_ptr<exchange::Call> make_onnx_call(const Library& library, std::shared_ptr<Session> session,
                                               const Sidecar& sidecar, const Buffers& buffers) {
    return std::make_unique<OnnxCall>(library, std::move(session), sidecar, buffers);
}

}  // namespace neutone_like::onnxruntime
