#include <random>
#include <string>
#include <utility>

#include "tests/integration/equivalence/program.hpp"

using agentd::Json;

namespace {

/// Contents of all kinds: large, nested, of other alphabets, and such as look like something else.
Json constants() {
  return {nullptr,
          true,
          0,
          -7,
          1.5,
          18446744073709551615U,
          "",
          "tide",
          "Ebbe & Flut: \"\u00e4\u20ac\U0001f600\"\n\t\u0001",
          Json::array(),
          Json::object(),
          {1, {2, {3, nullptr}}},
          {{"b", 1}, {"a", {{"d", false}, {"c", "x"}}}},
          {{"content", "not the envelope's"}},
          {{"$placeholder", {{"host", "127.0.0.1"}, {"port", 1}, {"call", "01J00000000000000000000000"}}}},
          {{"deep", {{{"$placeholder", 1}}}}},
          {{"$literal", {{"$literal", 2}}}},
          {{"$agent", {{"host", "127.0.0.1"}, {"port", 1}, {"agent", "nobody"}}}},
          std::string(12'000, 'x')};
}

class Generator {
public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  Program generate() {
    add_agents();
    const auto statements = 5 + below(25);
    for (std::size_t i = 0; i < statements; ++i) program_.statements.push_back(statement());
    // What every agent was given, and in which order, shows in what it answers at the end.
    for (const std::size_t agent : callable_) add(Statement::Kind::call, {agent}, constant("end"));
    return std::move(program_);
  }

private:
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  template <typename T>
  const T& one_of(const std::vector<T>& all) {
    return all[below(all.size())];
  }

  std::size_t add_agent(const std::string& type, std::optional<std::size_t> to = {}) {
    const std::size_t index = program_.agents.size();
    program_.agents.push_back({type, type + std::to_string(index), to, static_cast<unsigned>(below(1000))});
    return index;
  }

  void add_agents() {
    for (std::size_t i = 2 + below(3); i > 0; --i) stateful_.push_back(add_agent("transcript"));
    for (std::size_t i = 1 + below(2); i > 0; --i) stateful_.push_back(add_agent("Diary"));
    callable_ = stateful_;
    movable_ = stateful_;
    program_.hub = stateful_;
    callable_.push_back(add_agent("echo"));
    callable_.push_back(add_agent("failer"));
    for (std::size_t i = below(3); i > 0; --i) {
      std::size_t to = add_agent(one_of<std::string>({"transcript", "transcript", "Diary", "failer"}));
      movable_.push_back(to);
      for (std::size_t hops = 1 + below(2); hops > 0; --hops) to = add_agent("forwarder", to);
      callable_.push_back(to);
    }
    next_agent_ = program_.agents.size();
  }

  static Input constant(Json value) { return {.kind = Input::Kind::constant, .constant = std::move(value)}; }
  Input constant() {
    static const std::vector<Json> all = constants().get<std::vector<Json>>();
    return constant(one_of(all));
  }
  /// A message of before, most often a late one: long chains are more telling than wide fans.
  Input earlier() {
    const std::size_t count = program_.statements.size();
    if (count == 0) return constant();
    const std::size_t back = below(3) == 0 ? below(count) : below(std::min<std::size_t>(count, 4));
    return {.kind = Input::Kind::earlier, .earlier = count - 1 - back};
  }
  Input join(int depth) {
    Input input{.kind = Input::Kind::join};
    for (std::size_t i = 1 + below(3); i > 0; --i) input.parts.push_back(this->input(depth + 1));
    return input;
  }
  Input input(int depth = 0) {
    const std::size_t choice = below(10);
    if (choice == 0) return {};
    if (choice < 3) return constant();
    if (choice < 7 || depth > 2) return earlier();
    return join(depth);
  }

  Statement made(Statement::Kind kind, std::vector<std::size_t> agents, Input input) {
    return {.kind = kind, .agents = std::move(agents), .input = std::move(input)};
  }
  void add(Statement::Kind kind, std::vector<std::size_t> agents, Input input) {
    program_.statements.push_back(made(kind, std::move(agents), std::move(input)));
  }
  std::vector<std::size_t> some_agents() {
    std::vector<std::size_t> agents;
    for (std::size_t i = 1 + below(3); i > 0; --i) agents.push_back(one_of(callable_));
    return agents;
  }

  Statement statement() {
    using Kind = Statement::Kind;
    const std::size_t choice = below(42);
    if (choice < 20) return made(Kind::call, {one_of(callable_)}, input());
    if (choice < 22) return made(Kind::observe, {one_of(callable_)}, input());
    if (choice < 24) return made(Kind::sequence, some_agents(), input());
    if (choice < 26) return made(Kind::fan_out, some_agents(), input());
    if (choice < 28) return made(Kind::all, {}, join(0));
    if (choice < 30) return made(Kind::read, {}, earlier());
    if (choice < 32) return cloned();
    if (choice < 35) return branch();
    if (choice < 37) return made(Kind::say, {one_of(stateful_)}, input());
    if (choice < 39) return made(Kind::broadcast, {}, earlier());
    if (choice < 41) return made(Kind::move, {one_of(movable_)}, {});
    // With an input that may fail there would be two errors, of which the first that is learned of counts.
    return made(Kind::call_missing_method, {one_of(callable_)}, constant());
  }
  Statement cloned() {
    Statement statement = made(Statement::Kind::clone, {one_of(stateful_)}, {});
    stateful_.push_back(next_agent_);
    movable_.push_back(next_agent_);
    callable_.push_back(next_agent_++);
    return statement;
  }
  Statement branch() {
    Input both{.kind = Input::Kind::join};
    both.parts = {earlier(), input()};
    return made(Statement::Kind::branch, {one_of(callable_), one_of(callable_)}, std::move(both));
  }

  std::mt19937_64 random_;
  Program program_;
  /// Agents that only the program calls: with a state, and all.
  std::vector<std::size_t> stateful_;
  std::vector<std::size_t> callable_;
  /// Those that only a forwarder calls are moved too, perhaps while it does.
  std::vector<std::size_t> movable_;
  std::size_t next_agent_ = 0;
};

std::string text_of(const Input& input) {
  switch (input.kind) {
    case Input::Kind::nothing:
      return "nothing";
    case Input::Kind::constant: {
      const std::string text = input.constant.dump();
      return text.size() < 100 ? text : text.substr(0, 20) + "… (" + std::to_string(text.size()) + " bytes)";
    }
    case Input::Kind::earlier:
      return "m" + std::to_string(input.earlier);
    case Input::Kind::join:
      break;
  }
  std::string text = "join(";
  for (std::size_t i = 0; i < input.parts.size(); ++i) text += (i > 0 ? ", " : "") + text_of(input.parts[i]);
  return text + ")";
}

const char* name_of(Statement::Kind kind) {
  switch (kind) {
    case Statement::Kind::call:
      return "call";
    case Statement::Kind::call_missing_method:
      return "call a missing method of";
    case Statement::Kind::observe:
      return "observe";
    case Statement::Kind::sequence:
      return "sequence";
    case Statement::Kind::fan_out:
      return "fan_out";
    case Statement::Kind::all:
      return "when_all";
    case Statement::Kind::read:
      return "read";
    case Statement::Kind::clone:
      return "clone";
    case Statement::Kind::move:
      return "move";
    case Statement::Kind::branch:
      return "branch";
    case Statement::Kind::say:
      return "say";
    case Statement::Kind::broadcast:
      return "broadcast";
  }
  return "?";
}

std::string agents_text(const std::vector<std::size_t>& agents) {
  std::string text;
  for (const std::size_t agent : agents) text += " a" + std::to_string(agent);
  return text;
}

}  // namespace

Program generate(std::uint64_t seed) { return Generator(seed).generate(); }

std::string text_of(const Program& program) {
  std::string text;
  for (std::size_t i = 0; i < program.agents.size(); ++i) {
    const AgentPlan& agent = program.agents[i];
    text += "a" + std::to_string(i) + " = " + agent.type +
            (agent.to ? " to a" + std::to_string(*agent.to) : "") + ", place " + std::to_string(agent.place) +
            "\n";
  }
  text += "hub:" + agents_text(program.hub) + "\n";
  for (std::size_t i = 0; i < program.statements.size(); ++i) {
    const Statement& statement = program.statements[i];
    if (statement.skipped) continue;
    text += "m" + std::to_string(i) + " = " + name_of(statement.kind) + agents_text(statement.agents) +
            " with " + text_of(statement.input) + "\n";
  }
  return text;
}
