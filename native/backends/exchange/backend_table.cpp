#include "backend_table.hpp"

#include "exchange_error.hpp"

namespace neutone_like::exchange {

void refuse_other_artifact(const Sidecar& sidecar, const std::string& artifact_sha256) {
    if (artifact_sha256.empty() || artifact_sha256 == sidecar.artifact_sha256) return;
    throw ExchangeError(sidecar.path + " was exported from another model.nm: that one's SHA-256 was " +
                        sidecar.artifact_sha256 + ", this one's is " + artifact_sha256 + ". Export the model again.");
}

}  // namespace neutone_like::exchange
