// Files by their path in UTF-8, on every system.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "compiled/compiled_model.hpp"

namespace neutone_like::plugin {

struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// For reading. Null: it can't be, and `problem` says why.
File open_file(const std::string& path, std::string& problem);
bool is_folder(const std::string& path);
// Of the process; empty: it is not set.
std::string environment(const char* name);

// Throw HostError that names the file.
uint64_t bytes_of(std::FILE* file, const std::string& path);
std::unique_ptr<AlignedMemory> read_bytes(std::FILE* file, const std::string& path, uint64_t from, uint64_t count);
std::string sha256_of(std::FILE* file, const std::string& path);

}  // namespace neutone_like::plugin
