#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "common/json/text.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {

/// What a watcher was told. Each speaks for a connection of its own, unless told otherwise.
struct Recorder : Watcher {
  explicit Recorder(std::uint64_t connection = 0) : own(connection) {}
  void settled(const Call& call, protocol::SettledMode) override {
    states.emplace_back(state_name(call.state));
    if (call.state == CallState::done) content = call.content ? *call.content : "null";
    if (call.error) error = *call.error;
  }
  void progressed(const Call&, std::uint64_t seq, std::string_view value) override {
    progress.push_back(std::to_string(seq) + ":" + std::string(value));
  }
  void unknown(const CallId&, const Error& why) override {
    states.emplace_back("unknown");
    error = why;
  }

  [[nodiscard]] std::uint64_t connection() const override {
    return own > 0 ? own : reinterpret_cast<std::uintptr_t>(this);
  }

  std::uint64_t own = 0;
  std::vector<std::string> states;
  std::string content;
  Error error;
  std::vector<std::string> progress;
};

/// The other nodes, played by hand.
struct FakeForeign : ForeignNodes {
  struct Watched {
    Placeholder placeholder;
    OnOutcome on_outcome;
    std::weak_ptr<void> interest;
  };
  struct Called {
    ForeignCall call;
    OnOutcome on_outcome;
    OnProgress on_progress;
  };

  Interest watch(const Placeholder& placeholder, std::chrono::steady_clock::time_point,
                 OnOutcome told) override {
    Interest interest = std::make_shared<int>();
    watched.push_back({placeholder, std::move(told), interest});
    return interest;
  }
  void call(ForeignCall call, OnOutcome told, OnProgress progress) override {
    called.push_back({std::move(call), std::move(told), std::move(progress)});
  }
  void cancel(const Placeholder& placeholder) override { cancelled.push_back(placeholder); }
  void release(const Placeholder& placeholder) override { released.push_back(placeholder); }

  std::vector<Watched> watched;
  std::vector<Called> called;
  std::vector<Placeholder> cancelled;
  std::vector<Placeholder> released;
};

/// A door that a worker's method waits at, until the test opens it.
class Door {
public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  /// Whether so many have come to it, within a bound.
  bool reached_by(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return waiting_ >= count; });
  }
  int waiting() {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

struct Body : Agent {};

/// How a test makes a call; what is left out is as for a plain request.
struct Ask {
  std::string input = {};
  std::string id = {};
  std::string caller = "me";
  std::string method = "reply";
  std::optional<std::chrono::milliseconds> deadline = {};
  std::vector<std::string> path = {};
  std::uint64_t connection = 0;
};

/// A small node without sockets, whose loop the test turns by hand.
///
/// It has the agent types `log` (notes its input and answers with it), `hold` (a coroutine: notes its
/// input, waits for `holds`, answers), `block` (a worker: waits at `door`, answers), and whatever a
/// test adds.
struct World {
  explicit World(Limits limits = {}, unsigned workers = 2, bool alone = false);
  ~World();

  // types
  void add(AgentType type);
  void add_quick(const std::string& name, AgentType::Method reply);
  void add_worker(const std::string& name, AgentType::Method reply);
  void add_coroutine(const std::string& name, AgentType::AsyncMethod reply);

  // agents
  AgentPtr make(const std::string& type, const std::string& id, const std::string& args = "{}",
                protocol::AgentOptions options = {});
  /// An agent reference as it stands in args.
  static std::string ref(const std::string& agent) {
    return R"({"$agent":{"host":"here","port":1,"agent":")" + agent + "\"}}";
  }

  // calls
  CallRequest request(const std::string& agent, const Ask& ask = {});
  Result<CallPtr> try_call(const std::string& agent, const Ask& ask = {});
  /// Fails the test where the call is refused.
  CallPtr call(const std::string& agent, const Ask& ask = {});
  /// The placeholder of a call, as an input.
  static std::string placeholder(const Call& call) { return placeholder(call.id.text()); }
  static std::string placeholder(std::string_view id, const std::string& host = "here", int port = 1);
  std::shared_ptr<Recorder> watch(Call& call);

  /// Turns the loop until nothing is ready any more.
  void settle();
  /// Turns it until `done` holds, within a bound.
  bool until(const std::function<bool()>& done);
  bool until_settled(const CallPtr& call) {
    return until([&] { return call->is_settled(); });
  }

  // what coroutines of `hold` wait for, in the order they came
  void let_go(std::size_t which = 0);

  async::Loop loop;
  TypeTable types;
  FakeForeign foreign;
  std::vector<std::string> log;
  std::deque<std::shared_ptr<detail::Cell>> holds;
  Door door;
  std::unique_ptr<Runtime> runtime;
};

/// An id of 16 characters and more, from a short one.
[[nodiscard]] CallId id_of(const std::string& text);
[[nodiscard]] std::string content_of(const Call& call);
[[nodiscard]] std::string state_of(const Call& call);
[[nodiscard]] detail::MessageData message_of(std::string content);

}  // namespace agentd::runtime
