// What is used of LiteRT's C interface. Its package for Python brings the library without a header, so this is written
// down here, as libLiteRt.so of ai-edge-litert 2.2 and 2.3 has it. Source: the published documentation of the LiteRT C API.
#pragma once

#include <cstddef>
#include <cstdint>

namespace neutone_like::litert {

// Opaque, the library's own.
struct Environment;
struct Model;
struct Options;
struct OpaqueOptions;
struct Signature;
struct Tensor;
struct CompiledModel;
struct TensorBuffer;

using Status = int;             // 0 where all is well
constexpr int kCpu = 1;         // LiteRtHwAccelerators
constexpr int kErrorsOnly = 3;  // LiteRtLogSeverity

// LiteRtEnvOption, whose value is a LiteRtAny.
struct EnvironmentOption {
    int tag;
    struct {
        int type;
        int64_t number;
    } value;
};
static_assert(sizeof(EnvironmentOption) == 24);
constexpr int kNumber = 2;                 // LiteRtAnyTypeInt
constexpr int kRegisterAccelerators = 24;  // LiteRtEnvOptionTag: those that are looked for
constexpr int kLeastLogSeverity = 25;

constexpr size_t kMostDimensions = 8;

// LiteRtRankedTensorType.
struct TensorType {
    int32_t element_type;
    uint32_t rank;  // its lowest seven bits; the next one says that there are strides
    int32_t dimensions[kMostDimensions];
    uint32_t strides[kMostDimensions];
};
static_assert(sizeof(TensorType) == 72);

constexpr uint32_t kRankBits = 0x7F;

struct Interface {
    Status (*create_environment)(int option_count, const EnvironmentOption* options, Environment**);
    Status (*create_model)(Environment*, const void* data, size_t bytes, Model**);
    Status (*signature_count)(Model*, size_t*);
    Status (*signature)(Model*, size_t index, Signature**);
    Status (*input_count)(Signature*, size_t*);
    Status (*input_name)(Signature*, size_t index, const char**);
    Status (*input_tensor)(Signature*, size_t index, Tensor**);
    Status (*output_count)(Signature*, size_t*);
    Status (*output_name)(Signature*, size_t index, const char**);
    Status (*output_tensor)(Signature*, size_t index, Tensor**);
    Status (*tensor_type)(Tensor*, TensorType*);
    Status (*create_options)(Options**);
    Status (*set_accelerators)(Options*, int set);
    Status (*create_opaque_options)(const char* name, void* payload, void (*free)(void*), OpaqueOptions**);
    Status (*add_opaque_options)(Options*, OpaqueOptions*);  // which then belong to the first
    Status (*compile)(Environment*, Model*, Options*, CompiledModel**);
    Status (*buffer_over)(const TensorType*, void* data, size_t bytes, void (*free)(void*), TensorBuffer**);
    Status (*run)(CompiledModel*, size_t signature, size_t input_count, TensorBuffer** inputs, size_t output_count,
                  TensorBuffer** outputs);
    void (*destroy_model)(Model*);
    void (*destroy_options)(Options*);
    void (*destroy_compiled_model)(CompiledModel*);
    void (*destroy_buffer)(TensorBuffer*);
};

}  // namespace neutone_like::litert
