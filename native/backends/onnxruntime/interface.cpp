#include "interface.hpp"

#include <cstring>

namespace neutone_like::onnxruntime {

namespace {

// The place of a function in the table, counted from 0.
template <typename Function>
void take(const void* table, size_t place, Function& function) {
    std::memcpy(&function, static_cast<const char*>(table) + place * sizeof(void*), sizeof(void*));
}

}  // namespace

Interface::Interface(const void* table) {
    take(table, 2, error_message);               // GetErrorMessage
    take(table, 3, create_environment);          // CreateEnv
    take(table, 8, create_session_from_memory);  // CreateSessionFromArray
    take(table, 10, create_session_options);     // CreateSessionOptions
    take(table, 13, set_execution_mode);         // SetSessionExecutionMode
    take(table, 22, set_log_severity);           // SetSessionLogSeverityLevel
    take(table, 23, set_optimisation_level);     // SetSessionGraphOptimizationLevel
    take(table, 24, set_intra_op_threads);       // SetIntraOpNumThreads
    take(table, 25, set_inter_op_threads);       // SetInterOpNumThreads
    take(table, 30, input_count);                // SessionGetInputCount
    take(table, 31, output_count);               // SessionGetOutputCount
    take(table, 33, input_type);                 // SessionGetInputTypeInfo
    take(table, 34, output_type);                // SessionGetOutputTypeInfo
    take(table, 36, input_name);                 // SessionGetInputName
    take(table, 37, output_name);                // SessionGetOutputName
    take(table, 49, tensor_over);                // CreateTensorWithDataAsOrtValue
    take(table, 55, as_tensor_info);             // CastTypeInfoToTensorInfo
    take(table, 60, element_type);               // GetTensorElementType
    take(table, 61, dimension_count);            // GetDimensionsCount
    take(table, 62, dimensions);                 // GetDimensions
    take(table, 69, create_cpu_memory_info);     // CreateCpuMemoryInfo
    take(table, 76, free_with);                  // AllocatorFree
    take(table, 78, default_allocator);          // GetAllocatorWithDefaultOptions
    take(table, 93, release_status);             // ReleaseStatus
    take(table, 94, release_memory_info);        // ReleaseMemoryInfo
    take(table, 95, release_session);            // ReleaseSession
    take(table, 96, release_value);              // ReleaseValue
    take(table, 98, release_type_info);          // ReleaseTypeInfo
    take(table, 100, release_session_options);   // ReleaseSessionOptions
    take(table, 130, add_config_entry);          // AddSessionConfigEntry
    take(table, 133, run);                       // RunWithBinding
    take(table, 134, create_binding);            // CreateIoBinding
    take(table, 135, release_binding);           // ReleaseIoBinding
    take(table, 136, bind_input);                // BindInput
    take(table, 137, bind_output);               // BindOutput
}

}  // namespace neutone_like::onnxruntime
