#pragma once

#include <string>
#include <string_view>

#include <agentd/agent_range.hpp>
#include <agentd/json.hpp>

#include "sdk/src/session.hpp"

namespace agentd::sdk {

struct NewAgent {
  std::string type;
  /// Minted where empty: before it is sent, so that asking again makes no second one.
  std::string id;
  std::string name;
  Json args = Json::object();
  Json options;
};

struct NewAgents {
  std::string type;
  /// Minted where empty: before it is sent, so that asking again makes no further ones.
  std::string prefix;
  std::size_t count = 0;
  Json args = Json::object();
  Json options;
};

/// The arguments of a new agent as JSON text. Throws `Error` (`invalid_params`) where they are no valid
/// UTF-8.
[[nodiscard]] std::string args_text(std::string_view type, const Json& args);

/// Makes an agent at that node, waits until it is there, and answers its id. Throws `Error`.
std::string create_agent(SessionNode& node, NewAgent agent);

/// Makes many agents at that node, waits until they are there, and answers their ids' prefix. Throws `Error`.
std::string create_agents(SessionNode& node, NewAgents agents);

/// Deletes an agent at that node, and waits until it is gone. Throws `Error`.
void delete_agent(SessionNode& node, const std::string& id);

/// Deletes agents at that node, thousands at a time, and waits until they are gone. Throws `Error`.
void delete_agents(SessionNode& node, const AgentRange& agents);

/// The error with the place where it happened, where it has none.
[[nodiscard]] Error located(Error error, const SessionNode& node, std::string_view agent);

/// An id for an agent of that type.
[[nodiscard]] std::string mint_agent_id(std::string_view type);
/// As `mint_agent_id`, at a home near that one: where a node has several loops, most likely on the same.
[[nodiscard]] std::string mint_agent_id_near(std::string_view type, Home home);

}  // namespace agentd::sdk
