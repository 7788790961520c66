#include "tests/integration/equivalence/run.hpp"

#include <utility>

#include <agentd/flow.hpp>

using agentd::AgentRef;
using agentd::Error;
using agentd::Json;
using agentd::Message;

namespace {

Json error_text(const Error& error) { return {{"error", agentd::kind_name(error.kind())}}; }

Json outcome(const Message& message) {
  if (const Error* error = message.error()) return error_text(*error);
  return {{"content", message.content()}, {"name", message.name()}, {"role", message.role()}};
}

class Run {
public:
  Run(const Program& program, std::vector<AgentRef> agents, const Move& move)
      : program_(program), move_(move), agents_(std::move(agents)), hub_(pick(program.hub)) {}

  Json transcript() {
    for (const Statement& statement : program_.statements) messages_.push_back(result(statement));
    Json all = Json::array();
    for (const Message& message : messages_) all.push_back(outcome(message));
    all.push_back(heard());
    return all;
  }

private:
  std::vector<AgentRef> pick(const std::vector<std::size_t>& indices) const {
    std::vector<AgentRef> agents;
    for (const std::size_t index : indices) agents.push_back(agents_[index]);
    return agents;
  }

  Message message(const Input& input) const {
    switch (input.kind) {
      case Input::Kind::nothing:
        break;
      case Input::Kind::constant:
        return input.constant;
      case Input::Kind::earlier:
        return messages_[input.earlier];
      case Input::Kind::join:
        return Message::inputs(parts(input));
    }
    return {};
  }
  std::vector<Message> parts(const Input& input) const {
    std::vector<Message> parts;
    for (const Input& part : input.parts) parts.push_back(message(part));
    return parts;
  }

  Message result(const Statement& statement) {
    using Kind = Statement::Kind;
    if (statement.skipped) return skip(statement);
    const std::vector<AgentRef> agents = pick(statement.agents);
    switch (statement.kind) {
      case Kind::call:
        return agents[0](message(statement.input));
      case Kind::call_missing_method:
        return agents[0].call("missing", message(statement.input));
      case Kind::observe:
        return agents[0].observe(message(statement.input));
      case Kind::sequence:
        return agentd::sequential(agents, message(statement.input));
      case Kind::fan_out:
        return Message::inputs(agentd::fan_out(agents, message(statement.input)));
      case Kind::all:
        return agentd::when_all(parts(statement.input));
      case Kind::read:
        message(statement.input).wait();
        return {};
      case Kind::clone:
        agents_.push_back(agents[0].clone());
        return {};
      case Kind::move:
        if (move_) move_(agents[0]);
        return {};
      case Kind::branch:
        return agentd::if_else(message(statement.input.parts[1]), reads_odd(statement), agents[0], agents[1]);
      case Kind::say:
        return hub_.say(agents[0], message(statement.input));
      case Kind::broadcast:
        hub_.broadcast(message(statement.input));
        return message(statement.input);
    }
    return {};
  }

  Message skip(const Statement& statement) {
    // Whoever is called in place of the copy, it is the same agent in every deployment.
    if (statement.kind == Statement::Kind::clone) agents_.push_back(agents_[statement.agents[0]]);
    return {};
  }

  /// Reads, so it waits: the rest of the program depends on what has come.
  std::function<bool(const Message&)> reads_odd(const Statement& statement) const {
    return [read = message(statement.input.parts[0])](const Message&) {
      return std::hash<std::string>()(outcome(read).dump()) % 2 == 1;
    };
  }

  Json heard() {
    try {
      hub_.wait();
      return "all heard";
    } catch (const Error& error) {
      return error_text(error);
    }
  }

  const Program& program_;
  const Move& move_;
  std::vector<AgentRef> agents_;
  agentd::MsgHub hub_;
  std::vector<Message> messages_;
};

}  // namespace

Json run(const Program& program, std::vector<AgentRef> agents, const Move& move) {
  return Run(program, std::move(agents), move).transcript();
}
