// LV2: how a host chooses the player's artifact, by a message or by a state.
//
// Messages are patch:Set of <urn:neutone-like:player#artifact> on the port "control". The path goes to the host's worker,
// which reads the artifact, and comes back to be told on the port "notify".
#pragma once

#include <string>
#include <vector>

#include "lv2_abi.hpp"
#include "plugin.hpp"

namespace neutone_like::plugin::lv2 {

class ArtifactPort {
public:
    ArtifactPort(Plugin& plugin, Features features);

    // [audio] What came, and what is to be told. Null ports are not there.
    void take(const Sequence* control) noexcept;
    void tell(Sequence* notify) noexcept;

    // [worker]
    void work(Respond respond, void* handle, const char* path, uint32_t size);
    // [audio]
    void work_response(const char* path, uint32_t size) noexcept;

    // [control] `positions` are those of the host's knobs.
    int save(Store store, void* handle, Features features, const std::vector<float>& positions) const;
    int restore(Retrieve retrieve, void* handle, Features features, std::vector<float>& positions);

private:
    struct Names {
        uint32_t path, string, object, sequence, urid, set, get, property, value, artifact, state, positions;
    };

    void take_object(const unsigned char* body, uint32_t size) noexcept;
    uint32_t name(const char* uri) const;

    Plugin& plugin_;
    const UridMap* map_;
    const Schedule* schedule_;
    Names names_{};
    std::vector<char> path_;  // of the audio thread; with a zero at its end
    bool is_to_tell_ = false;
};

}  // namespace neutone_like::plugin::lv2
