// The backend that plays LiteRT files (.tflite), on the CPU. `source` is the path of a sidecar, model.tflite.json;
// exchange/options.hpp has the options.
#include "backend_table.hpp"
#include "litert_network.hpp"

extern "C" __attribute__((visibility("default"))) const nl_backend* neutone_like_backend(nl_error) {
    return neutone_like::exchange::BackendTable<neutone_like::litert::LitertBackend>::get();
}
