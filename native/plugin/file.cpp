#include "file.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "digest/sha256.hpp"
#include "model/host_error.hpp"

#if defined(_WIN32)
#include "windows_names.hpp"
#endif

namespace neutone_like::plugin {

namespace {

[[noreturn]] void refuse(const std::string& path) {
    throw HostError(NL_BAD_MODEL, "'" + path + "' can't be read: " + std::strerror(errno) + ".");
}

bool seek(std::FILE* file, uint64_t from, int whence) {
#if defined(_WIN32)
    return _fseeki64(file, static_cast<int64_t>(from), whence) == 0;
#else
    return fseeko(file, static_cast<off_t>(from), whence) == 0;
#endif
}

}  // namespace

File open_file(const std::string& path, std::string& problem) {
    errno = ENOENT;
#if defined(_WIN32)
    File file(path.empty() ? nullptr : _wfopen(wide(path).c_str(), L"rb"));
#else
    File file(path.empty() ? nullptr : std::fopen(path.c_str(), "rb"));
#endif
    if (file == nullptr) problem = std::strerror(errno);
    return file;
}

bool is_folder(const std::string& path) {
#if defined(_WIN32)
    struct _stat64 facts{};
    return _wstat64(wide(path).c_str(), &facts) == 0 && (facts.st_mode & S_IFMT) == S_IFDIR;
#else
    struct stat facts{};
    return stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
#endif
}

std::string environment(const char* name) {
#if defined(_WIN32)
    const wchar_t* value = _wgetenv(wide(name).c_str());
    return value == nullptr ? std::string() : narrow(value);
#else
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
#endif
}

uint64_t bytes_of(std::FILE* file, const std::string& path) {
    if (!seek(file, 0, SEEK_END)) refuse(path);
#if defined(_WIN32)
    const int64_t bytes = _ftelli64(file);
#else
    const int64_t bytes = ftello(file);
#endif
    if (bytes < 0) refuse(path);
    return static_cast<uint64_t>(bytes);
}

std::unique_ptr<AlignedMemory> read_bytes(std::FILE* file, const std::string& path, uint64_t from, uint64_t count) {
    auto bytes = std::make_unique<AlignedMemory>(count);
    if (!seek(file, from, SEEK_SET) || std::fread(bytes->data(), 1, count, file) != count) refuse(path);
    return bytes;
}

std::string sha256_of(std::FILE* file, const std::string& path) {
    if (!seek(file, 0, SEEK_SET)) refuse(path);
    Sha256 sum;
    std::vector<unsigned char> part(1 << 16);
    while (const size_t got = std::fread(part.data(), 1, part.size(), file)) sum.add(part.data(), got);
    if (std::ferror(file) != 0) refuse(path);
    return sum.digest();
}

}  // namespace neutone_like::plugin
