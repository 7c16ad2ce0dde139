#include "library.hpp"

#include <map>
#include <mutex>

#include "exchange_error.hpp"
#include "shared_library.hpp"

namespace neutone_like::litert {

using exchange::ExchangeError;
using exchange::SharedLibrary;

namespace {

const std::string kAdvice =
    "This needs ai-edge-litert 2.2 or 2.3. Install it with: pip install \"neutone-like[litert]\"";

// The library doesn't say its version, and functions have changed their arguments between versions.
void refuse_other_version(const exchange::Options& options) {
    const std::string& version = options.library_version;
    if (version.rfind("2.2.", 0) == 0 || version.rfind("2.3.", 0) == 0) return;
    throw ExchangeError(options.library + " is of ai-edge-litert " +
                        (version.empty() ? "in no known version" : version) + ", whose interface is not known here. " +
                        kAdvice);
}

const char* meaning(Status status) noexcept {
    switch (status) {
        case 1: return "an argument is not allowed";
        case 2: return "there is not enough memory";
        case 3: return "it failed while it ran";
        case 5: return "it is not supported";
        case 6: return "something was not found";
        case 8: return "it is of another version";
        case 500: return "the file can't be read";
        case 501: return "this is no model file";
        case 504: return "the model can't be compiled";
        default: return "it gave no reason";
    }
}

}  // namespace

const Library& Library::load(const exchange::Options& options) {
    static std::mutex& mutex = *new std::mutex;  // never destroyed: a worker that was left behind may still be inside
    static auto& loaded = *new std::map<std::string, std::unique_ptr<Library>>;
    const std::lock_guard lock(mutex);
    std::unique_ptr<Library>& library = loaded[options.library];
    if (library == nullptr) {
        refuse_other_version(options);
        library = std::make_unique<Library>(options.library);
    }
    return *library;
}

Library::Library(const std::string& path) {
    const SharedLibrary shared(path);
    const auto find = [&](const char* name, auto& function) { shared.find(name, function, kAdvice); };
    find("LiteRtCreateEnvironment", functions_.create_environment);
    find("LiteRtCreateModelFromBuffer", functions_.create_model);
    find("LiteRtGetNumModelSignatures", functions_.signature_count);
    find("LiteRtGetModelSignature", functions_.signature);
    find("LiteRtGetNumSignatureInputs", functions_.input_count);
    find("LiteRtGetSignatureInputName", functions_.input_name);
    find("LiteRtGetSignatureInputTensorByIndex", functions_.input_tensor);
    find("LiteRtGetNumSignatureOutputs", functions_.output_count);
    find("LiteRtGetSignatureOutputName", functions_.output_name);
    find("LiteRtGetSignatureOutputTensorByIndex", functions_.output_tensor);
    find("LiteRtGetRankedTensorType", functions_.tensor_type);
    find("LiteRtCreateOptions", functions_.create_options);
    find("LiteRtSetOptionsHardwareAccelerators", functions_.set_accelerators);
    find("LiteRtCreateOpaqueOptions", functions_.create_opaque_options);
    find("LiteRtAddOpaqueOptions", functions_.add_opaque_options);
    find("LiteRtCreateCompiledModel", functions_.compile);
    find("LiteRtCreateTensorBufferFromHostMemory", functions_.buffer_over);
    find("LiteRtRunCompiledModel", functions_.run);
    find("LiteRtDestroyModel", functions_.destroy_model);
    find("LiteRtDestroyOptions", functions_.destroy_options);
    find("LiteRtDestroyCompiledModel", functions_.destroy_compiled_model);
    find("LiteRtDestroyTensorBuffer", functions_.destroy_buffer);
    // Without these it looks for graphics processors, and tells standard error all about it.
    const EnvironmentOption options[] = {{kRegisterAccelerators, {kNumber, kCpu}},
                                         {kLeastLogSeverity, {kNumber, kErrorsOnly}}};
    check(functions_.create_environment(2, options, &environment_), "start");
}

void Library::check(Status status, const std::string& doing) {
    if (status == 0) return;
    throw ExchangeError("LiteRT could not " + doing + ": " + meaning(status) + " (status " + std::to_string(status) +
                        ")");
}

}  // namespace neutone_like::litert
