#pragma once

#include <memory>
#include <string>
#include <typeinfo>

#include <agentd/agent.hpp>
#include <agentd/agent_ref.hpp>
#include <agentd/register.hpp>

namespace agentd {

namespace detail {

/// A local agent of that type, not made yet. `type` lives as long as the program.
[[nodiscard]] AgentRef make_local(const AgentType& type, bool registered, const Json& args);

/// The name in the source, as far as an agent id can spell it.
[[nodiscard]] std::string readable_type_name(const std::type_info& type);

template <typename T>
const AgentType& type_of() {
  static const AgentType& type = *new AgentType(
      agent_type<T>(registered_name<T>().empty() ? readable_type_name(typeid(T)) : registered_name<T>()));
  return type;
}

}  // namespace detail

/// An agent of this program, in this process.
///
///     auto writer = agentd::make<Writer>({{"style", "plain"}});
///     auto elsewhere = agentd::make<Writer>().to_dist();      // made over there, and only there
///
/// The instance is made at the first use, and calls to it behave as calls to a distributed agent do:
/// they return at once, run in the order made, one at a time, and fail in the message. What the
/// constructor throws fails the calls with `invalid_params`. A type that `to_dist` is to move is
/// registered with `AGENTD_REGISTER_AGENT`.
///
/// The agent goes when nothing refers to it any more and its calls have settled. One whose address
/// was asked for (`id()`, or its JSON form in another agent's arguments) may be referred to by that,
/// and stays until the program ends.
template <typename T>
[[nodiscard]] AgentRef make(const Json& args = Json::object()) {
  return detail::make_local(detail::type_of<T>(), !detail::registered_name<T>().empty(), args);
}

/// Makes this program able to start itself again as an agent server, which is how `to_dist()`
/// launches one. Call it first in `main`: in a launched server it does not return.
///
/// A launched server listens on 127.0.0.1 only, serves the types that are linked into the program,
/// keeps no journal, may dial whatever node a placeholder points to (it acts for this program), and
/// ends with this program, by whatever way that ends.
void init(int argc, char** argv);

}  // namespace agentd
