#pragma once

#include <agentd/error.hpp>

namespace agentd::sdk {

/// Why a node has not started, as it concerns who asked for it: `conflict` where its port is taken,
/// `invalid_params` where it cannot be had for another reason.
[[nodiscard]] Error start_error(const Error& error);

}  // namespace agentd::sdk
