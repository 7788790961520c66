#include "daemon/runtime/hosted_agent.hpp"

#include "common/json/text.hpp"

namespace agentd::runtime {
namespace {

constexpr std::size_t longest_shown = 120;

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

/// The text has been checked, so what can still be wrong with it is a number that no double holds: that
/// one is said, with the name it has.
Json opened(std::string_view what, std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::exception&) {
  }
  std::string place = "the " + std::string(what);
  if (json::type_of(text) == json::Type::object) {
    for (json::Members members(text); members.next();) {
      if (Json::accept(members.value())) continue;
      place = std::string(what) + ' ' + std::string(members.key_token()) + " is " +
              std::string(members.value().substr(0, longest_shown)) + ": it";
      break;
    }
  }
  throw Error(ErrorKind::invalid_params,
              place + " holds a number beyond what a double can; the largest is 1.7976931348623157e308");
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
    std::unique_ptr<Agent> agent = type.make(opened("arg", args));
    if (!agent) throw std::logic_error("its maker made no agent");
    if (!state.empty()) agent->restore(opened("state", state));
    return agent;
  });
}

}  // namespace agentd::runtime
