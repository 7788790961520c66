#include "daemon/runtime/hosted_agent.hpp"

namespace agentd::runtime {
namespace {

template <typename Value, typename Work>
Result<Value> guarded(Work work) {
  try {
    return work();
  } catch (const std::exception& error) {
    return Error(ErrorKind::agent_failed, error.what());
  } catch (...) {
    return Error(ErrorKind::agent_failed, "the agent threw something that is no std::exception");
  }
}

}  // namespace

Result<Json> saved_state(const Agent& agent) {
  return guarded<Json>([&] {
    Json state = agent.save();
    // A message refuses what cannot be written as text.
    const Message checked(state);
    return state;
  });
}

Result<std::unique_ptr<Agent>> made_agent(const AgentType& type, std::string_view args,
                                          std::string_view state) {
  return guarded<std::unique_ptr<Agent>>([&] {
    std::unique_ptr<Agent> agent = type.make(Json::parse(args));
    if (!agent) throw std::logic_error("its maker made no agent");
    if (!state.empty()) agent->restore(Json::parse(state));
    return agent;
  });
}

}  // namespace agentd::runtime
