/* What engine.h and compiled.h both say of a model: results, its facts, its parameters. */
#ifndef NEUTONE_LIKE_MODEL_H
#define NEUTONE_LIKE_MODEL_H

#include <stddef.h>
#include <stdint.h>

/* A plugin that holds the library inside itself shows none of these names to its host. */
#if defined(NL_SHARED_LIBRARY) && defined(_WIN32)
#define NL_API __declspec(dllexport)
#elif defined(NL_SHARED_LIBRARY) && defined(__GNUC__)
#define NL_API __attribute__((visibility("default")))
#else
#define NL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nl_result {
    NL_SUCCESS = 0,
    NL_WRONG_USE = 1,    /* a NULL, a struct without its size, a number out of range */
    NL_NO_BACKEND = 2,   /* the backend can't be loaded, or doesn't fit this process */
    NL_BAD_MODEL = 3,    /* the file can't be read, or is no live model that this version plays */
    NL_NO_PARAMETER = 4, /* the model has no such parameter */
    NL_OUT_OF_RANGE = 5, /* the parameter has no such value; it stays as it was */
    NL_NO_MEMORY = 6,
    NL_FAILED = 7,         /* the model or the engine can't do it; nl_last_error says why */
    NL_BLOCK_TOO_LONG = 8, /* nl_process: more samples than nl_host promised; nothing was processed */
    NL_TWO_THREADS = 9,    /* nl_process: another thread is inside it; nothing was processed */
    NL_NOT_PREPARED = 10,  /* nl_prepare has not been called, failed, or is at work; nothing was processed */
    NL_CLOSED = 11         /* the engine was destroyed; nothing was processed */
} nl_result;

typedef struct nl_model_info {
    size_t size;
    const char* name; /* texts are UTF-8, and stay as long as what was asked */
    const char* version;
    const char* description;
    const char* metadata; /* all of metadata.json */
    int32_t in_channels;
    int32_t out_channels;
    int32_t parameter_count;
    int32_t made_by_neutone_like; /* 0: another tool's file, whose own wrapper adapts rates and blocks */
} nl_model_info;
#define NL_MODEL_INFO_INIT {sizeof(nl_model_info), NULL, NULL, NULL, NULL, 0, 0, 0, 0}

/* A parameter's kind. */
enum { NL_CONTINUOUS = 0, NL_CATEGORICAL = 1 };

typedef struct nl_parameter {
    size_t size;
    const char* name; /* texts are UTF-8, and stay as long as what was asked */
    const char* description;
    const char* unit;          /* "dB", "Hz", or empty */
    const char* const* labels; /* NL_CATEGORICAL: label_count of them; a value is the index of one */
    int32_t label_count;
    int32_t kind;
    double minimum;
    double maximum;
    double default_value;
} nl_parameter;
#define NL_PARAMETER_INIT {sizeof(nl_parameter), NULL, NULL, NULL, NULL, 0, 0, 0.0, 0.0, 0.0}

#ifdef __cplusplus
}
#endif

#endif
