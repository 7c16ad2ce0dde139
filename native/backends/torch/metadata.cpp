// What an artifact says about itself: the metadata.json inside it, without loading the model.
#include <caffe2/serialize/inline_container.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "neutone_like/backend_metadata.h"
#include "report.hpp"

namespace neutone_like::torch_backend {

namespace {

constexpr const char* kRecord = "extra/metadata.json";

nl_status metadata(const char* source, char* text, size_t size, size_t* length, nl_error error) {
    return guarded(error, [&] {
        if (!std::filesystem::is_regular_file(source)) {
            throw std::runtime_error(std::string("There is no file ") + source + ".");
        }
        try {
            caffe2::serialize::PyTorchStreamReader reader{std::string(source)};
            if (!reader.hasRecord(kRecord)) {
                throw std::runtime_error(std::string(source) +
                                         " holds no metadata.json, so it is no artifact of a model.");
            }
            const auto [data, bytes] = reader.getRecord(kRecord);
            *length = bytes;
            if (text != nullptr) std::memcpy(text, data.get(), std::min(size, bytes));
        } catch (const c10::Error& problem) {
            throw std::runtime_error(std::string(source) + " is no TorchScript archive: " + describe(problem));
        }
    });
}

}  // namespace

}  // namespace neutone_like::torch_backend

extern "C" __attribute__((visibility("default"))) nl_status neutone_like_metadata(const char* source, char* text,
                                                                                  size_t size, size_t* length,
                                                                                  nl_error error) {
    return neutone_like::torch_backend::metadata(source, text, size, length, error);
}
