// What is used of ONNX Runtime's C interface. Its packages for Python bring the library without a header, so this is
// written down here: a table of functions in an order that never changes, to which each version adds at the end.
// Source: the published documentation of OrtApi.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace neutone_like::onnxruntime {

// Opaque, the library's own.
struct Status;
struct Environment;
struct Session;
struct SessionOptions;
struct Value;
struct MemoryInfo;
struct TypeInfo;
struct TensorInfo;
struct Allocator;
struct Binding;

constexpr uint32_t kInterfaceVersion =
    19;                                // of ONNX Runtime 1.19, the first whose packages bring the library by itself
constexpr int kFatalOnly = 4;          // OrtLoggingLevel: what goes wrong is returned, not printed
constexpr int kSequential = 0;         // ExecutionMode
constexpr int kAllOptimisations = 99;  // GraphOptimizationLevel
constexpr int kDeviceAllocator = 0;    // OrtAllocatorType
constexpr int kDefaultMemory = 0;      // OrtMemType

struct ApiBase {
    const void* (*get_api)(uint32_t version);
    const char* (*get_version_string)();
};
using GetApiBase = const ApiBase* (*)();
constexpr const char* kEntry = "OrtGetApiBase";

// Those that return a Status return null where all is well.
struct Interface {
    explicit Interface(const void* table);

    const char* (*error_message)(const Status*);
    Status* (*create_environment)(int logging_level, const char* name, Environment**);
    Status* (*create_session_from_memory)(const Environment*, const void* data, size_t bytes, const SessionOptions*,
                                          Session**);
    Status* (*create_session_options)(SessionOptions**);
    Status* (*set_execution_mode)(SessionOptions*, int mode);
    Status* (*set_log_severity)(SessionOptions*, int level);
    Status* (*set_optimisation_level)(SessionOptions*, int level);
    Status* (*set_intra_op_threads)(SessionOptions*, int count);
    Status* (*set_inter_op_threads)(SessionOptions*, int count);
    Status* (*add_config_entry)(SessionOptions*, const char* key, const char* value);
    Status* (*input_count)(const Session*, size_t*);
    Status* (*output_count)(const Session*, size_t*);
    Status* (*input_type)(const Session*, size_t index, TypeInfo**);
    Status* (*output_type)(const Session*, size_t index, TypeInfo**);
    Status* (*input_name)(const Session*, size_t index, Allocator*, char**);
    Status* (*output_name)(const Session*, size_t index, Allocator*, char**);
    Status* (*as_tensor_info)(const TypeInfo*, const TensorInfo**);
    Status* (*element_type)(const TensorInfo*, int*);
    Status* (*dimension_count)(const TensorInfo*, size_t*);
    Status* (*dimensions)(const TensorInfo*, int64_t*, size_t count);
    Status* (*default_allocator)(Allocator**);
    Status* (*free_with)(Allocator*, void*);
    Status* (*create_cpu_memory_info)(int allocator_type, int memory_type, MemoryInfo**);
    Status* (*tensor_over)(const MemoryInfo*, void* data, size_t bytes, const int64_t* shape, size_t dimensions,
                           int element_type, Value**);
    Status* (*create_binding)(Session*, Binding**);
    Status* (*bind_input)(Binding*, const char* name, const Value*);
    Status* (*bind_output)(Binding*, const char* name, const Value*);
    Status* (*run)(Session*, const void* run_options, const Binding*);
    void (*release_status)(Status*);
    void (*release_session)(Session*);
    void (*release_session_options)(SessionOptions*);
    void (*release_value)(Value*);
    void (*release_memory_info)(MemoryInfo*);
    void (*release_type_info)(TypeInfo*);
    void (*release_binding)(Binding*);
};

}  // namespace neutone_like::onnxruntime
