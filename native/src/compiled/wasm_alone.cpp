// For WebAssembly: the few functions of a system that the C library would ask its host for, so that a module needs no host
// at all and loads in an AudioWorklet. Nothing here opens, reads or writes a file; all of them say that there is none.
#if defined(__wasi__)

#include <cstdint>

namespace {
constexpr int32_t kNoSuchFile = 8;  // EBADF, as WASI numbers it
}

extern "C" {

int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t) { return kNoSuchFile; }
int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t, int64_t, int32_t, int32_t) { return kNoSuchFile; }
int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t, int32_t, int32_t, int32_t) { return kNoSuchFile; }
int close(int) { return -1; }

}  // extern "C"

#endif
