#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <map>
#include <utility>
#include <vector>

#include <agentd/agent_ref.hpp>
#include <agentd/message.hpp>

/// Common shapes of a flow. All are what one would write by hand; none waits for anything but what
/// it says it reads. A *step* is whatever takes a message and answers with one: an `AgentRef`, a
/// lambda, another of these in a lambda.
namespace agentd {

using Step = std::function<Message(const Message&)>;

template <typename F>
concept Condition = std::predicate<F, const Message&>;

/// Each step takes what the one before answered. Waits for nothing.
///
///     auto report = agentd::sequential({planner, writer, critic}, "tides");
template <typename Steps = std::initializer_list<Step>>
Message sequential(const Steps& steps, Message x = {}) {
  for (const auto& step : steps) x = step(x);
  return x;
}
inline Message sequential(std::initializer_list<Step> steps, Message x = {}) {
  return sequential<>(steps, std::move(x));
}

/// Every step takes the same message; their answers, in the order of the steps. Waits for nothing.
///
///     auto opinions = agentd::fan_out({optimist, pessimist}, "tides");
///     auto verdict = judge(agentd::Message::inputs(opinions));
template <typename Steps = std::initializer_list<Step>>
std::vector<Message> fan_out(const Steps& steps, const Message& x = {}) {
  std::vector<Message> answers;
  for (const auto& step : steps) answers.push_back(step(x));
  return answers;
}
inline std::vector<Message> fan_out(std::initializer_list<Step> steps, const Message& x = {}) {
  return fan_out<>(steps, x);
}

/// One of two steps, or `x` itself where there is no second. The condition may read `x`, and then
/// waits for it.
template <Condition If>
Message if_else(const Message& x, If&& condition, const Step& then, const Step& otherwise = nullptr) {
  if (condition(x)) return then(x);
  return otherwise ? otherwise(x) : x;
}

/// The step that belongs to what `select` answers; `otherwise`, or `x` itself, where none does.
///
///     agentd::switch_on(x, [](auto& m) { return m.content().template get<std::string>(); },
///                       std::map<std::string, agentd::Step>{{"poem", poet}, {"report", writer}});
template <typename Select, typename Key>
requires std::convertible_to<std::invoke_result_t<Select, const Message&>, Key> Message switch_on(
    const Message& x, Select&& select, const std::map<Key, Step>& cases, const Step& otherwise = nullptr) {
  const auto chosen = cases.find(select(x));
  if (chosen != cases.end()) return chosen->second(x);
  return otherwise ? otherwise(x) : x;
}

/// The step, `times` times over. Waits for nothing, unless there is a condition to stop at, which is
/// asked after each round and may read the answer.
inline Message for_loop(Message x, std::size_t times, const Step& step,
                        const std::function<bool(const Message&)>& stop = nullptr) {
  for (std::size_t round = 0; round < times; ++round) {
    x = step(x);
    if (stop && stop(x)) break;
  }
  return x;
}

/// The step as long as the condition holds, which is asked before each round and may read the
/// message.
template <Condition While>
Message while_loop(Message x, While&& condition, const Step& step) {
  while (condition(x)) x = step(x);
  return x;
}

/// A conversation: what one participant says, the others observe.
///
///     agentd::MsgHub hub({alice, bob, carol}, "Talk about tides.");   // all observe that
///     auto a = hub.say(alice);            // bob and carol observe what alice answers
///     auto b = hub.say(bob);              // and bob knows it when he speaks
///
/// Nothing waits: who observes gets a placeholder, and observing takes its place among the calls of
/// this program to that agent. The hub ends with its scope; what was said is still heard.
/// Not thread-safe.
class MsgHub {
public:
  explicit MsgHub(const std::vector<AgentRef>& participants, const Message& announcement = {});

  /// Asks the speaker, and lets everybody else who takes part observe the answer. The speaker need
  /// not take part.
  Message say(const AgentRef& speaker, const Message& input = {});
  /// Everybody observes that.
  void broadcast(const Message& message);

  /// Joins from here on; nothing where it takes part already.
  void add(const AgentRef& participant);
  void remove(const AgentRef& participant);
  [[nodiscard]] const std::vector<AgentRef>& participants() const { return participants_; }

  /// Waits until everybody has heard what was said so far. Throws the `Error` of one that could not.
  void wait();

private:
  std::vector<AgentRef> participants_;
  std::vector<Message> heard_;
};

}  // namespace agentd
