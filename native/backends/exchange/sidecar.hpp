// What lies beside an exported model file (model.onnx.json, model.tflite.json): how the file is to be called, and what
// its states are when nothing has been played.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "element_type.hpp"

namespace neutone_like::exchange {

struct Parameter {
    std::string name;
    std::string input;
    bool per_sample = false;  // [N] values for a block of N; else [1]
};

struct State {
    std::string name;
    std::string input;
    std::string output;
    ElementType type = ElementType::float32;
    Shape shape;
    std::vector<uint8_t> initial;  // as many bytes as the shape needs
};

struct Sidecar {
    std::string path;         // of the model file
    std::string file_sha256;  // of the model file
    std::string artifact_sha256;
    std::optional<int> sample_rate;    // Hz
    std::optional<int> block_samples;  // every block has this length
    int in_channels = 1;
    int out_channels = 1;
    int look_behind = 0;
    int delay_samples = 0;
    std::string audio_input;   // float32 [in_channels, look_behind + N]
    std::string audio_output;  // float32 [out_channels, N]
    std::vector<Parameter> parameters;
    std::vector<State> states;
};

// Reads `path`, which is `format`'s. Throws ExchangeError that names the field, what it holds, and what is allowed.
Sidecar read_sidecar(const std::string& path, const std::string& format);

// The model file itself, which must be the one that the sidecar was written for. Throws ExchangeError.
std::vector<uint8_t> read_model_file(const Sidecar& sidecar);

}  // namespace neutone_like::exchange
