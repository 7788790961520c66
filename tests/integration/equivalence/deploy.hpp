#pragma once

#include <memory>
#include <string>
#include <vector>

#include <agentd/agentd.hpp>

#include "tests/integration/equivalence/program.hpp"
#include "tests/integration/support/loops.hpp"
#include "tests/integration/support/process.hpp"

/// A transcript that remembers what it observes too: `{"n", "digest"}`. Of this program, so no daemon has it.
class Diary : public agentd::Agent {
public:
  agentd::Message reply(const agentd::Message& x) override;
  void observe(const agentd::Message& x) override;
  [[nodiscard]] agentd::Json save() const override;
  void restore(const agentd::Json& state) override;

private:
  std::size_t count_ = 0;
  std::size_t digest_ = 0;
};

enum class Deployment : std::uint8_t {
  local,
  /// On two servers that `to_dist` launched.
  master_slave,
  /// On three daemons. Diaries are on an `AgentServer`, which has their type.
  peer_to_peer,
  /// Each somewhere, this program included.
  mixed,
};

[[nodiscard]] const char* name_of(Deployment deployment);

/// Servers of all kinds, which many programs use one after another.
class World {
public:
  World();
  /// New agents for that program, in the order of its plans.
  [[nodiscard]] std::vector<agentd::AgentRef> deploy(const Program& program, Deployment deployment) const;

  /// Takes an agent of this program to a server that has all types; any other stays.
  void move(const agentd::AgentRef& agent) const;

private:
  [[nodiscard]] agentd::DistOptions launched(unsigned place) const;
  [[nodiscard]] agentd::DistOptions peer(const AgentPlan& plan) const;
  [[nodiscard]] agentd::AgentRef place(const agentd::AgentRef& agent, const AgentPlan& plan,
                                       Deployment deployment, bool must_stay) const;

  std::vector<std::unique_ptr<OtherProcess>> daemons_;
  std::vector<std::uint16_t> ports_;
  agentd::AgentServer server_{{.port = 0, .loops = loops_of_servers()}};
  std::vector<agentd::AgentRef> anchors_;
};
