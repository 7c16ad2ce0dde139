// One instance: a network, its memory, and which of the two sets of states is the present one.
#pragma once

#include <memory>
#include <vector>

#include "network.hpp"
#include "neutone_like/backend.h"

namespace neutone_like::exchange {

// What can't be done is an ExchangeError.
class Player {
public:
    explicit Player(std::shared_ptr<Network> network);
    Player(const Player& other);  // in the same state, and apart from here on
    Player& operator=(const Player&) = delete;

    // Returns the delay in samples. Everything is allocated here, but for what the library allocates at run time.
    int prepare(const nl_setup& setup);
    void process(const nl_block& block);
    void reset();

private:
    void connect(int longest_samples);
    void refuse_unfit(const nl_setup& setup) const;
    void write_inputs(const nl_block& block);
    std::vector<std::vector<uint8_t>> present_states() const;

    std::shared_ptr<Network> network_;
    std::vector<size_t> order_;  // for each of the sidecar's parameters, where the engine has it
    std::unique_ptr<Buffers> buffers_;
    std::unique_ptr<Call> call_;
    int present_ = 0;
};

}  // namespace neutone_like::exchange
