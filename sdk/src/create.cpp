#include "sdk/src/create.hpp"

namespace agentd::sdk {
namespace {

std::string params_of(const NewAgent& agent) {
  (void)args_text(agent.type, agent.args);
  Json params{{"type", agent.type}, {"agent", agent.id}, {"args", agent.args}};
  if (!agent.name.empty()) params["name"] = agent.name;
  if (!agent.options.is_null()) params["options"] = agent.options;
  try {
    return params.dump();
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::invalid_params,
                std::string("what makes a new agent is no valid UTF-8: ") + error.what());
  }
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

std::string create_agent(SessionNode& node, NewAgent agent) {
  if (agent.id.empty()) agent.id = mint_agent_id(agent.type);
  const auto answer = Session::instance().ask(node, "agent.create", params_of(agent));
  if (!answer) throw located(answer.error(), node, agent.id);
  return agent.id;
}

void delete_agent(SessionNode& node, const std::string& id) {
  const auto answer = Session::instance().ask(node, "agent.delete", Json{{"agent", id}}.dump());
  // Asked for twice, it may be gone already.
  if (!answer && answer.error().kind() != ErrorKind::agent_not_found) throw located(answer.error(), node, id);
}

}  // namespace agentd::sdk
