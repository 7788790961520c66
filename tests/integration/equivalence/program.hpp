#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <agentd/json.hpp>

/// A flow program as data: which agents there are, and what is done with them, in order.
///
/// Every statement gives one message, which later ones may refer to by the statement's place. Its outcome
/// does not depend on time: each agent has one caller, the program or the one forwarder that leads to it.

/// What a call is given.
struct Input {
  enum class Kind : std::uint8_t { nothing, constant, earlier, join };
  Kind kind = Kind::nothing;
  agentd::Json constant = nullptr;
  /// The statement whose message it is.
  std::size_t earlier = 0;
  std::vector<Input> parts = {};
};

struct AgentPlan {
  std::string type;
  std::string name;
  /// For a forwarder: the agent that it calls.
  std::optional<std::size_t> to;
  /// Where it lives, for deployments that have a choice.
  unsigned place = 0;
};

struct Statement {
  enum class Kind : std::uint8_t {
    /// Agent 0 of `agents` is called with the input.
    call,
    /// The same, with a method that it does not have.
    call_missing_method,
    observe,
    /// Each takes what the one before answered.
    sequence,
    /// All take the input; the message is the join of their answers.
    fan_out,
    /// `when_all` of the input's parts.
    all,
    /// Waits for the message of the input.
    read,
    /// Agent 0 is copied: the copy is the next agent. The message is no input.
    clone,
    /// Agent 0 goes elsewhere with its state, where it is an agent of this program and the deployment has
    /// other places.
    /// The message is no input.
    move,
    /// Reads the message that the input's first part is, and calls agent 0 or agent 1 with the second part.
    branch,
    /// Agent 0 is called, and the hub's others observe its answer.
    say,
    /// Everybody in the hub observes the input. The message is the input's.
    broadcast,
  };
  Kind kind = Kind::call;
  std::vector<std::size_t> agents = {};
  Input input = {};
  /// Left out, and its message is no input: how a program is made smaller while all references stay right.
  bool skipped = false;
};

struct Program {
  std::vector<AgentPlan> agents;
  /// Who takes part in the hub.
  std::vector<std::size_t> hub;
  std::vector<Statement> statements;
};

/// The program that belongs to that number.
[[nodiscard]] Program generate(std::uint64_t seed);

/// For people.
[[nodiscard]] std::string text_of(const Program& program);
