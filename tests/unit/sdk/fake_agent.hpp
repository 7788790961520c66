#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <agentd/agent_ref.hpp>

#include "common/vocabulary/target.hpp"

/// An agent that answers in the test's own thread, and remembers what it was asked.
class FakeAgent : public agentd::detail::Target {
public:
  using Reply = std::function<agentd::Message(const agentd::Message&)>;

  static std::pair<std::shared_ptr<FakeAgent>, agentd::AgentRef> make(const std::string& id, Reply reply) {
    auto agent = std::make_shared<FakeAgent>(id, std::move(reply));
    return {agent, agentd::AgentRef(agent)};
  }

  FakeAgent(const std::string& id, Reply reply) : address_{{}, id}, reply_(std::move(reply)) {}

  const agentd::AgentAddress& address() const override { return address_; }
  agentd::Message call(std::string_view method, const agentd::Message& input,
                       const agentd::CallOptions&) override {
    asked.emplace_back(method, input.empty() ? "nothing" : std::string(input.raw_content()));
    return method == "reply" ? reply_(input) : agentd::Message(nullptr);
  }
  agentd::AgentRef clone() override { return {}; }
  agentd::AgentRef to_dist(const agentd::DistOptions&) override { return {}; }

  std::vector<std::pair<std::string, std::string>> asked;

private:
  agentd::AgentAddress address_;
  Reply reply_;
};
