#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <agentd/error.hpp>

namespace agentd {

/// A value, or why there is none: how expected failures travel inside the daemon and the SDK.
template <typename T>
using Result = boost::system::result<T, Error>;

[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw error;
}

}  // namespace agentd
