#include "sdk/src/start_error.hpp"

#include <cerrno>

namespace agentd::sdk {

Error start_error(const Error& error) {
  if (!error.details().is_object() || !error.details().contains("errno")) return error;
  const bool taken = error.details()["errno"] == EADDRINUSE;
  Error told(taken ? ErrorKind::conflict : ErrorKind::invalid_params, error.message());
  return told.with("errno", error.details()["errno"]);
}

}  // namespace agentd::sdk
