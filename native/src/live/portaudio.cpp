#include "live/portaudio.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <mutex>

#include "signal/config.hpp"

namespace neutone_like::portaudio {

namespace {

// PortAudio asks every sound system there could be, and those write dozens of lines to the terminal where they are not
// there. They write to the file, not to a stream of ours.
class QuietErrors {
public:
    QuietErrors() : before_(dup(STDERR_FILENO)) {
        const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (before_ >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
        if (nowhere >= 0) ::close(nowhere);
    }
    ~QuietErrors() {
        if (before_ < 0) return;
        dup2(before_, STDERR_FILENO);
        ::close(before_);
    }
    QuietErrors(const QuietErrors&) = delete;
    QuietErrors& operator=(const QuietErrors&) = delete;

private:
    const int before_;
};

constexpr const char* kInstall =
    " Install PortAudio (Debian and Ubuntu: apt-get install libportaudio2; macOS: pip install sounddevice, or brew "
    "install portaudio), or name the file of its library.";

template <typename Function>
void find(void* library, const std::string& path, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (function == nullptr) {
        throw EngineError(path + " is not PortAudio 19: it has no function " + name + "." + kInstall);
    }
}

// 0x00130700 is 19.7.0; releases before 19.6 said 1899 and the like.
std::string version_words(int version) {
    if (version < 0x10000) return std::to_string(version);
    return std::to_string(version >> 16) + "." + std::to_string((version >> 8) & 0xff) + "." +
           std::to_string(version & 0xff);
}

}  // namespace

Library::Library(const std::string& path) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* reason = dlerror();
        throw EngineError("PortAudio can't be loaded (" + std::string(reason == nullptr ? path : reason) + ")." +
                          kInstall);
    }
    find(library, path, "Pa_GetVersion", version);
    find(library, path, "Pa_GetVersionText", version_text);
    find(library, path, "Pa_GetErrorText", error_text);
    find(library, path, "Pa_GetLastHostErrorInfo", last_host_error);
    find(library, path, "Pa_Initialize", initialise);
    find(library, path, "Pa_GetHostApiInfo", host_api);
    find(library, path, "Pa_GetDeviceCount", device_count);
    find(library, path, "Pa_GetDeviceInfo", device);
    find(library, path, "Pa_GetDefaultInputDevice", default_input);
    find(library, path, "Pa_GetDefaultOutputDevice", default_output);
    find(library, path, "Pa_OpenStream", open);
    find(library, path, "Pa_StartStream", start);
    find(library, path, "Pa_StopStream", stop);
    find(library, path, "Pa_CloseStream", close);
    find(library, path, "Pa_GetStreamInfo", stream_info);
    if (version() >> 16 != kMajorVersion) {
        throw EngineError(path + " is PortAudio " + version_words(version()) + ", expected version " +
                          std::to_string(kMajorVersion) + ".6 or a later 19.");
    }
    const QuietErrors quiet;
    const int error = initialise();
    if (error != 0) throw EngineError("PortAudio does not start: " + words(error) + ".");
}

const Library& Library::at(const std::string& path) {
    static std::mutex mutex;
    static auto& libraries = *new std::map<std::string, std::unique_ptr<const Library>>();  // for good, see above
    const std::lock_guard<std::mutex> lock(mutex);
    std::unique_ptr<const Library>& library = libraries[path];
    if (library == nullptr) library.reset(new Library(path));
    return *library;
}

std::string Library::words(int error) const {
    const char* said = error_text(error);
    std::string text = said == nullptr ? "an error that it has no words for" : said;
    text += " (PortAudio " + std::to_string(error) + ")";
    const HostErrorInfo* host = error == kUnanticipatedHostError ? last_host_error() : nullptr;
    if (host != nullptr && host->error_text != nullptr && host->error_text[0] != '\0') {
        text += ", and the sound system says: " + std::string(host->error_text);
    }
    return text;
}

}  // namespace neutone_like::portaudio
