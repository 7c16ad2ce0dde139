/* What the shared object of a backend exports beside NL_BACKEND_ENTRY when its model files describe themselves: the text
 * of their metadata.json, from which a host learns the model's name, rates, blocks, channels and parameters.
 */
#ifndef NEUTONE_LIKE_BACKEND_METADATA_H
#define NEUTONE_LIKE_BACKEND_METADATA_H

#include "neutone_like/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `source` is what `create` takes. Writes at most `size` bytes of UTF-8 to `text`, and how long all of it is to `length`;
 * there is no terminating zero. NULL and 0 only ask for the length. */
typedef nl_status (*nl_metadata_entry)(const char* source, char* text, size_t size, size_t* length, nl_error error);
#define NL_METADATA_ENTRY "neutone_like_metadata"

#ifdef __cplusplus
}
#endif

#endif
