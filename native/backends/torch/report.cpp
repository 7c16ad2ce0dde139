#include "report.hpp"

#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/jit_exception.h>

#include <algorithm>
#include <cstring>

namespace neutone_like::torch_backend {

namespace {

// TorchScript puts its interpreter's frames first and what the model said last, as "SomeError: message".
std::string without_frames(const std::string& text) {
    if (text.find("Traceback of TorchScript") == std::string::npos) return text;
    const size_t mark = text.rfind("Error: ");
    if (mark == std::string::npos) return text;
    const size_t line = text.rfind('\n', mark);
    return text.substr(line == std::string::npos ? 0 : line + 1);
}

std::string first_lines(const std::string& text, int lines) {
    size_t end = 0;
    while (lines-- > 0 && end != std::string::npos) end = text.find('\n', end == 0 ? 0 : end + 1);
    std::string kept = text.substr(0, end);
    while (!kept.empty() && kept.back() == '\n') kept.pop_back();
    return kept;
}

}  // namespace

void write_message(nl_error error, const std::string& message) noexcept {
    if (error.message == nullptr || error.size == 0) return;
    const size_t length = std::min(message.size(), error.size - 1);
    std::memcpy(error.message, message.data(), length);
    error.message[length] = '\0';
}

std::string describe(const std::exception& error) {
    if (const auto* raised = dynamic_cast<const torch::jit::JITException*>(&error)) {
        const auto message = raised->getOriginalMsg();
        if (message) {
            std::string name = raised->getPythonClassName().value_or("");
            name = name.substr(name.rfind('.') + 1);
            return name.empty() ? *message : name + ": " + *message;
        }
    }
    if (const auto* problem = dynamic_cast<const c10::Error*>(&error)) {
        return first_lines(without_frames(problem->what_without_backtrace()), 8);
    }
    return first_lines(without_frames(error.what()), 8);
}

}  // namespace neutone_like::torch_backend
