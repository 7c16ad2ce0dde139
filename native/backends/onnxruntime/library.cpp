#include "library.hpp"

#include <cstdlib>
#include <map>
#include <mutex>

#include "exchange_error.hpp"
#include "shared_library.hpp"

namespace neutone_like::onnxruntime {

using exchange::ExchangeError;
using exchange::SharedLibrary;

namespace {

const std::string kAdvice =
    "This needs onnxruntime 1.19 or a later 1.x. Install it with: pip install \"neutone-like[onnx]\"";

// The interface is promised within 1.x.
void refuse_other_major(const std::string& path, const std::string& version) {
    char* end = nullptr;
    const long major = std::strtol(version.c_str(), &end, 10);
    if (major == 1 && *end == '.') return;
    throw ExchangeError(path + " is ONNX Runtime " + version + ", whose interface is not known here. " + kAdvice);
}

}  // namespace

const Library& Library::load(const std::string& path) {
    static std::mutex& mutex = *new std::mutex;  // never destroyed: a worker that was left behind may still be inside
    static auto& loaded = *new std::map<std::string, std::unique_ptr<Library>>;
    const std::lock_guard lock(mutex);
    std::unique_ptr<Library>& library = loaded[path];
    if (library == nullptr) library = std::make_unique<Library>(path);
    return *library;
}

Library::Library(const std::string& path) {
    GetApiBase entry = nullptr;
    SharedLibrary(path).find(kEntry, entry, kAdvice);
    const ApiBase* base = entry();
    const std::string version = base->get_version_string();
    refuse_other_major(path, version);
    const void* table = base->get_api(kInterfaceVersion);
    if (table == nullptr) {
        throw ExchangeError(path + " is ONNX Runtime " + version + ", which does not have version " +
                            std::to_string(kInterfaceVersion) + " of its interface. " + kAdvice);
    }
    functions_ = std::make_unique<Interface>(table);
    check(functions_->create_environment(kFatalOnly, "neutone_like", &environment_), "start");
    check(functions_->create_cpu_memory_info(kDeviceAllocator, kDefaultMemory, &memory_), "start");
}

void Library::check(Status* status, const std::string& doing) const {
    if (status == nullptr) return;
    const std::string message = functions_->error_message(status);
    functions_->release_status(status);
    throw ExchangeError("ONNX Runtime could not " + doing + ": " + message);
}

}  // namespace neutone_like::onnxruntime
