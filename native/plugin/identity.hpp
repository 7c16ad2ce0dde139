// What a plugin's file says of itself: one binary is the plugin of every model, and learns here which one it is.
#pragma once

#include <cstdint>
#include <string>

namespace neutone_like::plugin {

// Written into the binary when a plugin is made of it, so that a plugin still has its name where its model is lost. On macOS
// a binary is signed and can't be changed: there it lies beside it as plugin.json, and the model as model.nlc.
struct Identity {
    std::string name = "Neutone-like plugin without a model";
    std::string vendor = "neutone-like";
    std::string version = "0.0.0";
    std::string description = "Made into a plugin by neutone-like plugin.";
    std::string id = "neutone-like.empty";       // CLAP
    std::string uri = "urn:neutone-like:empty";  // LV2
    std::string uid =
        "6e6c706c7567696e656d707479"  // VST3: 32 hexadecimal digits
        "303030";
    int parameters = 0;
    int in_channels = 2;  // of the model
    int out_channels = 2;
    int worker = 0;             // 1: the model has a thread of its own
    int player = 0;             // 1: it plays artifacts that a user chooses, and has no model
    std::string artifact;       // which of them it begins with; empty: none
    std::string model_file;     // empty: the binary's own
    uint64_t model_offset = 0;  // in that file
    uint64_t model_bytes = 0;   // 0: there is none
    int64_t tail_samples = -1;  // for how long the model is heard after its input has ended; -1: for ever
    double tail_rate = 0.0;     // Hz, at which that was measured
};

// That of this binary.
Identity own_identity();

// The path that this binary was loaded from. Empty: the system doesn't say.
std::string own_path();

}  // namespace neutone_like::plugin
