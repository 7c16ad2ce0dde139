// Sidecars of exported files, and what they are made of: digests, base64. Damaged ones are refused, whatever is damaged.
#include "sidecar.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <string>

#include "base64.hpp"
#include "digest/sha256.hpp"
#include "exchange_error.hpp"
#include "written_file.hpp"

using namespace neutone_like::exchange;

namespace {

std::string digest(const std::string& text) {
    neutone_like::Sha256 sum;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    const size_t half = text.size() / 2;
    sum.add(bytes, half);
    sum.add(bytes + half, text.size() - half);
    return sum.digest();
}

std::string decoded(const std::string& text) {
    const auto bytes = from_base64(text);
    return bytes ? std::string(bytes->begin(), bytes->end()) : "refused";
}

const std::string kDigest(64, 'a');
const std::string kSidecar =
    R"({"neutone_like_sidecar": 1, "format": "onnx", "file": "model.onnx", "file_sha256": ")" + kDigest +
    R"(", "artifact_sha256": ")" + kDigest +
    R"(", "model_name": "M", "sample_rate": 44100, "block_samples": null, "in_channels": 2, "out_channels": 1,
    "look_behind_samples": 7, "delay_samples": 3, "audio_input": "audio", "audio_output": "audio_out",
    "parameters": [{"name": "gain", "input": "p0", "rate": "sample", "minimum": 0, "maximum": 1, "default": 0.5}],
    "states": [{"name": "count", "input": "s0", "output": "s0_out", "dtype": "int32", "shape": [2], "initial": "BwAAAP////8="},
               {"name": "empty", "input": "s1", "output": "s1_out", "dtype": "bool", "shape": [3, 0], "initial": null}]})";

Sidecar read(const std::string& text) {
    plan::Bytes bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    const Written file(bytes);
    return read_sidecar(file.path(), "onnx");
}

}  // namespace

TEST_CASE("digests are those of FIPS 180-4's examples") {
    CHECK(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(digest(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("base64 is read as RFC 4648 has it, and nothing else") {
    const char* const letters[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t length = 0; length < 7; ++length) CHECK(decoded(letters[length]) == std::string("foobar", length));
    for (const char* wrong : {"Zg=", "Zg", "Zg===", "Z===", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "=Zm9", "Zg==Zg=="}) {
        CHECK(decoded(wrong) == "refused");
    }
}

TEST_CASE("a sidecar says all that a file doesn't") {
    const Sidecar sidecar = read(kSidecar);
    CHECK(sidecar.sample_rate == 44100);
    CHECK_FALSE(sidecar.block_samples.has_value());
    CHECK(sidecar.in_channels == 2);
    CHECK(sidecar.out_channels == 1);
    CHECK(sidecar.look_behind == 7);
    CHECK(sidecar.delay_samples == 3);
    CHECK(sidecar.parameters.at(0).per_sample);
    CHECK(sidecar.states.at(0).initial == std::vector<uint8_t>{7, 0, 0, 0, 255, 255, 255, 255});
    CHECK(sidecar.states.at(1).initial.empty());
    CHECK(sidecar.path.substr(sidecar.path.rfind('/')) == "/model.onnx");
}

TEST_CASE("whatever is damaged in a sidecar, it is read or refused") {
    std::mt19937 random(1);
    int refused = 0;
    for (int trial = 0; trial < 2000; ++trial) {
        std::string text = kSidecar;
        const size_t at = random() % text.size();
        switch (random() % 3) {
            case 0: text.resize(at); break;
            case 1: text[at] = static_cast<char>(random()); break;
            default: text.erase(at, 1 + random() % 9);
        }
        try {
            read(text);
        } catch (const ExchangeError& error) {
            CHECK(std::string(error.what()).size() > 20);
            ++refused;
        }
    }
    CHECK(refused > 1000);
}
