#include "sdk/src/create.hpp"

#include <algorithm>

namespace agentd::sdk {
namespace {

/// How many agents are deleted before the first answers are waited for.
constexpr std::size_t deleted_at_once = 4096;

std::string text_of(const Json& params) {
  try {
    return params.dump();
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::invalid_params,
                std::string("what makes a new agent is no valid UTF-8: ") + error.what());
  }
}

std::string params_of(const NewAgent& agent) {
  (void)args_text(agent.type, agent.args);
  Json params{{"type", agent.type}, {"agent", agent.id}, {"args", agent.args}};
  if (!agent.name.empty()) params["name"] = agent.name;
  if (!agent.options.is_null()) params["options"] = agent.options;
  return text_of(params);
}

std::string params_of(const NewAgents& agents) {
  (void)args_text(agents.type, agents.args);
  Json params{
      {"type", agents.type}, {"prefix", agents.prefix}, {"count", agents.count}, {"args", agents.args}};
  if (!agents.options.is_null()) params["options"] = agents.options;
  return text_of(params);
}

/// Asked for twice, it may be gone already.
void check_deleted(const Result<std::string>& answer, const SessionNode& node, const std::string& id) {
  if (!answer && answer.error().kind() != ErrorKind::agent_not_found) throw located(answer.error(), node, id);
}

}  // namespace

std::string args_text(std::string_view type, const Json& args) {
  try {
    return args.dump();
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::invalid_params,
                "the arguments of a new " + std::string(type) + " are no valid UTF-8: " + error.what());
  }
}

Error located(Error error, const SessionNode& node, std::string_view agent) {
  if (error.node().empty()) error.at_node(node.address.text());
  if (error.agent().empty()) error.at_agent(agent);
  return error;
}

std::string mint_agent_id(std::string_view type) {
  std::string id;
  for (const char c : type.substr(0, 100)) id += is_agent_id({&c, 1}) ? c : '_';
  return id + '-' + random_suffix(8);
}

std::string mint_agent_id_near(std::string_view type, Home home) {
  // One in so many ids is near: a node of at most so many loops has them, but for those at an edge, on one.
  constexpr Home neighbourhoods = 64;
  constexpr Home neighbours = homes / neighbourhoods;
  constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyz";
  for (;;) {
    std::string id = mint_agent_id(type);
    for (const char last : letters) {
      id.back() = last;
      if (home_of(id) / neighbours == home / neighbours) return id;
    }
  }
}

std::string create_agent(SessionNode& node, NewAgent agent) {
  if (agent.id.empty()) agent.id = mint_agent_id_near(agent.type, home_of(Session::instance().caller()));
  const auto answer = Session::instance().ask(node, "agent.create", params_of(agent));
  if (!answer) throw located(answer.error(), node, agent.id);
  return agent.id;
}

std::string create_agents(SessionNode& node, NewAgents agents) {
  if (agents.prefix.empty()) agents.prefix = mint_agent_id(agents.type);
  const auto answer = Session::instance().ask(node, "agent.create_many", params_of(agents));
  if (!answer) throw located(answer.error(), node, "");
  return agents.prefix;
}

void delete_agent(SessionNode& node, const std::string& id) {
  check_deleted(Session::instance().ask(node, "agent.delete", Json{{"agent", id}}.dump()), node, id);
}

void delete_agents(SessionNode& node, const AgentRange& agents) {
  for (std::size_t done = 0; done < agents.size(); done += deleted_at_once) {
    std::vector<std::string> params;
    for (std::size_t i = done; i < std::min(agents.size(), done + deleted_at_once); ++i)
      params.push_back(Json{{"agent", agents.id(i)}}.dump());
    const auto answers = Session::instance().ask_all(node, "agent.delete", std::move(params));
    for (std::size_t i = 0; i < answers.size(); ++i) check_deleted(answers[i], node, agents.id(done + i));
  }
}

}  // namespace agentd::sdk
