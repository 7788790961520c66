#include "tests/integration/equivalence/deploy.hpp"

#include <functional>
#include <stdexcept>

#include "common/json/text.hpp"
#include "daemon/agents/builtin.hpp"

using agentd::AgentRef;
using agentd::DistOptions;
using agentd::Json;
using agentd::Message;

AGENTD_REGISTER_AGENT(Diary);

Message Diary::reply(const Message& x) {
  observe(x);
  return Json{{"n", count_}, {"digest", digest_}};
}

void Diary::observe(const Message& x) {
  ++count_;
  digest_ = std::hash<std::string>()(std::to_string(digest_) + agentd::json::canonical(x.raw_content()));
}

Json Diary::save() const { return {count_, digest_}; }

void Diary::restore(const Json& state) {
  count_ = state.at(0);
  digest_ = state.at(1);
}

namespace {

/// A local agent of a type that every node has.
AgentRef make_builtin(const std::string& name, const Json& args) {
  static const std::vector<agentd::AgentType> types = agentd::agents::builtin_types();
  for (const agentd::AgentType& type : types) {
    if (type.name == name) return agentd::detail::make_local(type, true, args);
  }
  throw std::invalid_argument("no built-in type " + name);
}

AgentRef make_here(const AgentPlan& plan, const std::vector<AgentRef>& others) {
  if (plan.type == "Diary") return agentd::make<Diary>();
  Json args = Json::object();
  if (plan.type == "transcript") args["name"] = plan.name;
  if (plan.to) args["to"] = others[*plan.to];
  return make_builtin(plan.type, args);
}

std::uint16_t port_in(const std::string& line) {
  // "agentd listening on HOST:PORT"
  return static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
}

}  // namespace

const char* name_of(Deployment deployment) {
  switch (deployment) {
    case Deployment::local:
      return "local";
    case Deployment::master_slave:
      return "master-slave";
    case Deployment::peer_to_peer:
      return "peer-to-peer";
    case Deployment::mixed:
      return "mixed";
  }
  return "?";
}

World::World() {
  for (int i = 0; i < 3; ++i) {
    daemons_.push_back(std::make_unique<OtherProcess>(
        AGENTD_DAEMON, std::vector<std::string>{"--port", "0", "--loops", std::to_string(loops_of_servers()),
                                                "--log-level", "error"}));
    ports_.push_back(port_in(daemons_.back()->line()));
  }
  server_.launch();
  for (int i = 0; i < 2; ++i) anchors_.push_back(agentd::make<Diary>().to_dist());
}

DistOptions World::launched(unsigned place) const {
  return {.share = anchors_[place % anchors_.size()].address().node};
}

DistOptions World::peer(const AgentPlan& plan) const {
  const std::uint16_t port = plan.type == "Diary" ? server_.port() : ports_[plan.place % ports_.size()];
  return {.port = port, .launch_server = false};
}

AgentRef World::place(const AgentRef& agent, const AgentPlan& plan, Deployment deployment,
                      bool must_stay) const {
  if (must_stay) return agent;
  switch (deployment) {
    case Deployment::local:
      break;
    case Deployment::master_slave:
      return agent.to_dist(launched(plan.place));
    case Deployment::peer_to_peer:
      return agent.to_dist(peer(plan));
    case Deployment::mixed:
      if (plan.place % 3 == 1) return agent.to_dist(launched(plan.place / 3));
      if (plan.place % 3 == 2) return agent.to_dist(peer(plan));
  }
  return agent;
}

std::vector<AgentRef> World::deploy(const Program& program, Deployment deployment) const {
  std::vector<AgentRef> agents;
  for (const AgentPlan& plan : program.agents) {
    // Nobody else can reach an agent of this program, so who calls it is here too.
    const bool must_stay = plan.to && agents[*plan.to].address().node.host.empty();
    agents.push_back(place(make_here(plan, agents), plan, deployment, must_stay));
  }
  // Whatever happens, it happens soon.
  for (AgentRef& agent : agents) agent = agent.with({.deadline = std::chrono::seconds(20)});
  return agents;
}

void World::move(const AgentRef& agent) const {
  if (agent.address().node.host.empty()) agent.to_dist(launched(0));
}
