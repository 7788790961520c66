#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <agentd/agent_ref.hpp>
#include <agentd/json.hpp>
#include <agentd/message.hpp>
#include <agentd/task.hpp>

namespace agentd {

/// An actor: state, and methods that take a message and answer with one. One call runs at a time,
/// so an agent needs no locks of its own.
///
///     class Writer : public agentd::Agent {
///     public:
///       explicit Writer(const agentd::Json& args) : style_(args.value("style", "plain")) {}
///       agentd::Message reply(const agentd::Message& x) override { return compose(x.content()); }
///     };
///     AGENTD_REGISTER_AGENT(Writer);
///
/// Override one of `reply` (may block: it runs on the worker pool) and `reply_async` (a coroutine
/// on the node's event loop: it may `co_await` messages, and must not block). A call fails with
/// `agent_failed` when its method throws; `what()` becomes the message.
class Agent {
public:
  virtual ~Agent() = default;

  virtual Message reply(const Message& input);
  virtual Task<Message> reply_async(Message input);
  /// Takes a message into memory, and answers nothing. Does nothing unless overridden.
  virtual void observe(const Message& input);

  /// The state, for `clone`, `to_dist` and people; null where there is none.
  [[nodiscard]] virtual Json save() const { return nullptr; }
  /// What `save` answered, in an agent made from the same arguments.
  virtual void restore(const Json& /*state*/) {}
};

/// Where the methods of a type run.
enum class Execution : std::uint8_t {
  /// On the worker pool; a method may block.
  worker,
  /// On the event loop, at once: for methods that take microseconds.
  loop,
};

/// A registered agent type: how to make one, and what it can do. A plain value, made once and then
/// only read.
struct AgentType {
  using Method = std::function<Message(Agent&, const Message&)>;
  using AsyncMethod = std::function<Task<Message>(Agent&, Message)>;
  using Methods = std::map<std::string, std::variant<Method, AsyncMethod>, std::less<>>;

  std::string name;
  std::string description;
  /// JSON Schema of the arguments.
  Json args_schema = Json::object();
  /// A call that had started when its node died may run again.
  bool idempotent = false;
  Execution execution = Execution::worker;
  std::function<std::unique_ptr<Agent>(const Json& args)> make;
  Methods methods;
  /// `built-in`, `linked`, or the plugin's file.
  std::string source = "linked";
};

/// Fills in a type's description; handed to the type's `static void describe(TypeOf<T>&)` where it
/// has one.
///
///     static void describe(agentd::TypeOf<Writer>& type) {
///       type.description("Writes drafts").method("outline", &Writer::outline).idempotent();
///     }
template <typename T>
class TypeOf {
public:
  explicit TypeOf(AgentType& type) : type_(type) {}

  TypeOf& description(std::string text) {
    type_.description = std::move(text);
    return *this;
  }
  TypeOf& args_schema(Json schema) {
    type_.args_schema = std::move(schema);
    return *this;
  }
  TypeOf& idempotent() {
    type_.idempotent = true;
    return *this;
  }
  /// The methods take microseconds and never block: run them on the event loop.
  TypeOf& quick() {
    type_.execution = Execution::loop;
    return *this;
  }
  TypeOf& method(std::string name, Message (T::*run)(const Message&)) {
    type_.methods[std::move(name)] = AgentType::Method(
        [run](Agent& agent, const Message& input) { return (static_cast<T&>(agent).*run)(input); });
    return *this;
  }
  TypeOf& method(std::string name, Task<Message> (T::*run)(Message)) {
    type_.methods[std::move(name)] = AgentType::AsyncMethod(
        [run](Agent& agent, Message input) { return (static_cast<T&>(agent).*run)(std::move(input)); });
    return *this;
  }

private:
  AgentType& type_;
};

/// The description of `T` under that name: `reply`, `observe`, and what `T::describe` adds.
template <typename T>
[[nodiscard]] AgentType agent_type(std::string name);

/// What a method may ask about the call that runs it. Outside any call: no deadline, not cancelled,
/// and progress goes nowhere.
namespace this_call {
/// Sends partial output to whoever watches the call.
void progress(const Json& value);
/// Whether nobody waits any more: cancelled, or past the deadline.
[[nodiscard]] bool cancelled();
[[nodiscard]] std::chrono::steady_clock::time_point deadline();
[[nodiscard]] CallId id();
/// A coroutine's way to wait for time to pass.
struct Sleep {
  std::chrono::nanoseconds duration;
  [[nodiscard]] bool await_ready() const { return duration.count() <= 0; }
  void await_suspend(std::coroutine_handle<> waiting) const;
  /// Throws `Error` (`cancelled`) where the call was given up meanwhile.
  void await_resume() const;
};
[[nodiscard]] inline Sleep sleep(std::chrono::nanoseconds duration) { return {duration}; }
}  // namespace this_call

namespace detail {

/// The types that `AGENTD_REGISTER_AGENT` linked into this program, in no particular order.
[[nodiscard]] std::vector<AgentType>& linked_types();

/// What a plugin shows the daemon that loads it.
struct PluginInfo {
  const char* abi;
  std::vector<AgentType>* types;
};

template <typename T>
std::vector<AgentType>& types_of_this_module() {
  static std::vector<AgentType> types;
  return types;
}

template <typename T>
concept Describes = requires(TypeOf<T>& type) {
  T::describe(type);
};

}  // namespace detail

template <typename T>
AgentType agent_type(std::string name) {
  static_assert(std::is_base_of_v<Agent, T>, "an agent type derives from agentd::Agent");
  AgentType type;
  type.name = std::move(name);
  type.make = [](const Json& args) -> std::unique_ptr<Agent> {
    if constexpr (std::is_constructible_v<T, const Json&>) {
      return std::make_unique<T>(args);
    } else {
      (void)args;
      return std::make_unique<T>();
    }
  };
  constexpr bool async = !std::is_same_v<decltype(&T::reply_async), decltype(&Agent::reply_async)>;
  if constexpr (async) {
    type.execution = Execution::loop;
    type.methods["reply"] = AgentType::AsyncMethod(
        [](Agent& agent, Message input) { return agent.reply_async(std::move(input)); });
  } else {
    type.methods["reply"] =
        AgentType::Method([](Agent& agent, const Message& input) { return agent.reply(input); });
  }
  type.methods["observe"] = AgentType::Method([](Agent& agent, const Message& input) {
    agent.observe(input);
    return Message(nullptr);
  });
  TypeOf<T> description(type);
  if constexpr (detail::Describes<T>) T::describe(description);
  return type;
}

}  // namespace agentd
