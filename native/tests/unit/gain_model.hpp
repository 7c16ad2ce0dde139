// Descriptions of models for the backend that gain_backend.c makes.
#pragma once

#include <string>

inline const char* const kGainBackend = GAIN_BACKEND;  // its shared object

struct GainModel {
    std::string rates = "[]";
    std::string blocks = "[]";
    int channels = 2;
    bool ours = true;
    int schema_version = 1;

    std::string json() const {
        const std::string mono = channels == 1 ? "true" : "false";
        const std::string shared =
            R"({"model_name": "Gain", "model_version": "1.2.3", "model_short_description": "Louder", )"
            R"("native_sample_rates": )" +
            rates + R"(, "native_buffer_sizes": )" + blocks + R"(, "look_behind_samples": 0, "is_input_mono": )" +
            mono + R"(, "is_output_mono": )" + mono +
            R"(, "neutone_parameters": {"p2": {"name": "", "description": "", "default_value": 0.0, "used": false, "type": "continuous"}, )"
            R"("p1": {"name": "level", "description": "", "default_value": 0.5, "used": true, "type": "continuous"}})";
        return shared + (ours ? R"(, "neutone_like": )" + section() : "") + "}";
    }

    std::string section() const {
        return R"({"schema_version": )" + std::to_string(schema_version) + R"(, "quality": "high", "in_channels": )" +
               std::to_string(channels) + R"(, "out_channels": )" + std::to_string(channels) +
               R"(, "parameters": [{"name": "gain", "description": "How loud", "type": "continuous", "default": 1.0, )"
               R"("minimum": 0.0, "maximum": 4.0, "unit": "x", "rate": "block", "smoothing_seconds": 0.02}, )"
               R"({"name": "way", "description": "Up or down", "type": "categorical", "default": 0, "labels": ["up", "down"]}]})";
    }
};
