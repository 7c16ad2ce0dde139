#include "onnx_network.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "exchange_error.hpp"
#include "model_tensor.hpp"
#include "onnx_call.hpp"

namespace neutone_like::onnxruntime {

using exchange::ElementType;
using exchange::ModelTensor;
using exchange::Shape;
using exchange::Sidecar;

namespace {

constexpr std::array<std::pair<ElementType, int>, 8> kTypes{{
    {ElementType::float32, 1},
    {ElementType::uint8, 2},
    {ElementType::int8, 3},
    {ElementType::int16, 5},
    {ElementType::int32, 6},
    {ElementType::int64, 7},
    {ElementType::boolean, 9},
    {ElementType::float64, 11},
}};

// The session's options: everything on the calling thread, which is the engine's.
class OwnOptions {
public:
    explicit OwnOptions(const Library& library) : library_(library) {
        const Interface& ort = library.functions();
        library.check(ort.create_session_options(&options_), "make options");
        const auto set = [&](Status* status) { library.check(status, "set an option"); };
        set(ort.set_execution_mode(options_, kSequential));
        set(ort.set_log_severity(options_, kFatalOnly));
        set(ort.set_optimisation_level(options_, kAllOptimisations));
        set(ort.set_intra_op_threads(options_, 1));
        set(ort.set_inter_op_threads(options_, 1));
        set(ort.add_config_entry(options_, "session.intra_op.allow_spinning", "0"));
        set(ort.add_config_entry(options_, "session.inter_op.allow_spinning", "0"));
    }
    ~OwnOptions() { library_.functions().release_session_options(options_); }
    OwnOptions(const OwnOptions&) = delete;
    OwnOptions& operator=(const OwnOptions&) = delete;

    const SessionOptions* get() const noexcept { return options_; }

private:
    const Library& library_;
    SessionOptions* options_ = nullptr;
};

class OnnxNetwork : public exchange::Network {
public:
    OnnxNetwork(const Library& library, Sidecar sidecar) : library_(library), sidecar_(std::move(sidecar)) {
        const std::vector<uint8_t> model = exchange::read_model_file(sidecar_);
        const OwnOptions options(library_);
        Session* session = nullptr;
        library_.check(ort().create_session_from_memory(library_.environment(), model.data(), model.size(),
                                                        options.get(), &session),
                       "open " + sidecar_.path);
        session_ = std::shared_ptr<Session>(session, ort().release_session);
        exchange::check_tensors(sidecar_, tensors(ort().input_count, ort().input_name, ort().input_type),
                                tensors(ort().output_count, ort().output_name, ort().output_type));
    }

    const Sidecar& sidecar() const override { return sidecar_; }

    std::unique_ptr<exchange::Call> connect(const exchange::Buffers& buffers) override {
        return make_onnx_call(library_, session_, sidecar_, buffers);
    }

private:
    const Interface& ort() const { return library_.functions(); }

    template <typename Count, typename Name, typename Type>
    std::vector<ModelTensor> tensors(Count count_of, Name name_of, Type type_of) const {
        size_t count = 0;
        library_.check(count_of(session_.get(), &count), "count what the file takes");
        std::vector<ModelTensor> found(count);
        for (size_t index = 0; index < count; ++index) {
            found[index].name = name(name_of, index);
            TypeInfo* type = nullptr;
            library_.check(type_of(session_.get(), index, &type), "say what the file takes");
            const std::unique_ptr<TypeInfo, void (*)(TypeInfo*)> owner(type, ort().release_type_info);
            read_type(type, found[index]);
        }
        return found;
    }

    template <typename Name>
    std::string name(Name name_of, size_t index) const {
        Allocator* allocator = nullptr;
        library_.check(ort().default_allocator(&allocator), "allocate");
        char* text = nullptr;
        library_.check(name_of(session_.get(), index, allocator, &text), "name what the file takes");
        std::string copied = text;
        library_.check(ort().free_with(allocator, text), "free a name");
        return copied;
    }

    void read_type(const TypeInfo* type, ModelTensor& tensor) const {
        const TensorInfo* info = nullptr;
        library_.check(ort().as_tensor_info(type, &info), "say what the file takes");
        if (info == nullptr) return;  // a list or a map: of another type than anything here
        int element = 0;
        size_t dimensions = 0;
        library_.check(ort().element_type(info, &element), "say a type");
        library_.check(ort().dimension_count(info, &dimensions), "say a shape");
        tensor.type = type_of_onnx(element);
        tensor.shape.resize(dimensions);
        library_.check(ort().dimensions(info, tensor.shape.data(), dimensions), "say a shape");
    }

    const Library& library_;
    Sidecar sidecar_;
    std::shared_ptr<Session> session_;
};

}  // namespace

int onnx_type(ElementType type) noexcept {
    for (const auto& [ours, theirs] : kTypes) {
        if (ours == type) return theirs;
    }
    return 0;
}

ElementType type_of_onnx(int type) noexcept {
    for (const auto& [ours, theirs] : kTypes) {
        if (theirs == type) return ours;
    }
    return ElementType::other;
}

std::shared_ptr<exchange::Network> OnnxBackend::open(Sidecar sidecar, const exchange::Options& options) {
    return std::make_shared<OnnxNetwork>(Library::load(options.library), std::move(sidecar));
}

}  // namespace neutone_like::onnxruntime
