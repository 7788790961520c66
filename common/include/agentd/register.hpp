#pragma once

#include <string>
#include <utility>
#include <vector>

#include <agentd/abi.hpp>
#include <agentd/agent.hpp>

/// How an agent type gets its name.
///
///     AGENTD_REGISTER_AGENT(Writer);                      // as "Writer"
///     AGENTD_REGISTER_AGENT_AS(my::Writer, "my-writer");  // under a name of its own
///
/// At namespace scope, in a source file. In a program, the type is then one that the program can make
/// and serve. In a plugin (which links `agentd::plugin`), it is one that the daemon finds there. A
/// static library that only registers types needs `--whole-archive`: nothing else refers to it.

namespace agentd::detail {

/// The name that `T` was registered under; empty where it was not. Written before `main` only.
template <typename T>
std::string& registered_name() {
  static std::string name;
  return name;
}

#ifdef AGENTD_PLUGIN
/// A hidden pointer, and not a static in a function: the guard of one would be shared by all plugins.
[[gnu::visibility("hidden")]] inline std::vector<AgentType>* types_of_this_plugin = nullptr;

[[gnu::visibility("hidden")]] inline std::vector<AgentType>& types_to_register() {
  if (types_of_this_plugin == nullptr) types_of_this_plugin = new std::vector<AgentType>;
  return *types_of_this_plugin;
}
#else
inline std::vector<AgentType>& types_to_register() { return linked_types(); }
#endif

template <typename T>
bool register_type(std::string name, std::vector<AgentType>& types) {
  types.push_back(agent_type<T>(name));
  registered_name<T>() = std::move(name);
  return true;
}

}  // namespace agentd::detail

#ifdef AGENTD_PLUGIN
/// What the daemon looks up in a plugin. Weak, so that it may be in each of a plugin's sources.
extern "C" [[gnu::weak, gnu::used, gnu::visibility("default")]] const agentd::detail::PluginInfo*
agentd_plugin_v1() {
  static agentd::detail::PluginInfo info{agentd::detail::abi.data(), nullptr};
  info.types = &agentd::detail::types_to_register();
  return &info;
}
#endif

#define AGENTD_DETAIL_JOIN_OF(a, b) a##b
#define AGENTD_DETAIL_JOIN(a, b) AGENTD_DETAIL_JOIN_OF(a, b)

#define AGENTD_REGISTER_AGENT(Type) AGENTD_REGISTER_AGENT_AS(Type, #Type)

#define AGENTD_REGISTER_AGENT_AS(Type, Name)                                               \
  [[maybe_unused]] static const bool AGENTD_DETAIL_JOIN(agentd_registered_, __COUNTER__) = \
      ::agentd::detail::register_type<Type>(Name, ::agentd::detail::types_to_register())
