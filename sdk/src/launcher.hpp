#pragma once

#include <cstdint>

#include <agentd/ids.hpp>

namespace agentd::sdk {

/// Starts this very program again as an agent server on this machine, and answers where it listens.
/// It ends with this process. Waits for it, 30 s at most. `port` 0 takes a free one.
///
/// Throws `std::logic_error` where `agentd::init` was not called, and `Error` where the server did not come
/// up: with the reason that it gives (`conflict` for a port that is taken), or `peer_unreachable`.
NodeAddress launch_server(std::uint16_t port);

/// Ends a launched server that nobody needs after all.
void end_server(const NodeAddress& node);

/// `agentd::init` was called, as a program with that name.
void allow_launching(const char* program_name);
/// This process is a launched server itself: it launches none.
void forbid_launching();

/// The argument that makes a program a launched server, followed by the descriptor of the parent's
/// line and the port.
inline constexpr const char* serve_argument = "--agentd-serve";

/// Runs the launched server to its end, for `init`.
[[noreturn]] void serve_for_parent(int line, std::uint16_t port);

}  // namespace agentd::sdk
