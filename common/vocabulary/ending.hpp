#pragma once

namespace agentd::detail {

/// The program ends: whoever waits for a message to settle is not called back from here on, since what it
/// refers to may be gone. Who blocks for it still returns.
void end_callbacks();

}  // namespace agentd::detail
