#include "sdk/agentctl/exit.hpp"

namespace agentd::ctl {

Exit exit_of(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::agent_not_found:
    case ErrorKind::call_not_found:
    case ErrorKind::type_not_found:
      return Exit::not_found;
    case ErrorKind::invalid_params:
    case ErrorKind::parse_error:
      return Exit::usage;
    case ErrorKind::peer_unreachable:
      return Exit::unreachable;
    case ErrorKind::overloaded:
    case ErrorKind::shutting_down:
      return Exit::retryable;
    case ErrorKind::peer_refused:
      return Exit::refused;
    case ErrorKind::internal:
      return Exit::software;
    default:
      return Exit::failed;
  }
}

}  // namespace agentd::ctl
