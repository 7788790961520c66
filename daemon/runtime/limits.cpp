#include "daemon/runtime/limits.hpp"

#include <utility>

namespace agentd::runtime {

Error overloaded(std::string_view limit, std::string message) {
  Error error(ErrorKind::overloaded, std::move(message));
  return error.with("limit", std::string(limit));
}

}  // namespace agentd::runtime
