#include <algorithm>
#include <utility>

#include <agentd/flow.hpp>

#include "common/vocabulary/target.hpp"

namespace agentd {
namespace {

/// Not by `address`: a local agent that was asked for it stays until the program ends.
AgentAddress whereabouts(const AgentRef& agent) {
  return agent ? agent.target()->whereabouts() : agent.address();
}

bool same(const AgentRef& a, const AgentRef& b) { return whereabouts(a) == whereabouts(b); }

}  // namespace

MsgHub::MsgHub(const std::vector<AgentRef>& participants, const Message& announcement) {
  for (const AgentRef& participant : participants) add(participant);
  if (!announcement.empty()) broadcast(announcement);
}

Message MsgHub::say(const AgentRef& speaker, const Message& input) {
  Message said = speaker(input);
  for (const AgentRef& listener : participants_) {
    if (!same(listener, speaker)) heard_.push_back(listener.observe(said));
  }
  return said;
}

void MsgHub::broadcast(const Message& message) {
  for (const AgentRef& listener : participants_) heard_.push_back(listener.observe(message));
}

void MsgHub::add(const AgentRef& participant) {
  const auto same_one = [&](const AgentRef& other) { return same(other, participant); };
  if (std::ranges::none_of(participants_, same_one)) participants_.push_back(participant);
}

void MsgHub::remove(const AgentRef& participant) {
  std::erase_if(participants_, [&](const AgentRef& other) { return same(other, participant); });
}

void MsgHub::wait() {
  for (const Message& heard : std::exchange(heard_, {})) {
    if (const Error* error = heard.error()) throw Error(*error);
  }
}

}  // namespace agentd
