#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>

#include "daemon/rpc/reply.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd::rpc {

/// What an answer about a call is for: `agent.call` or `call.get`.
enum class AnswerTo : std::uint8_t { call, get };

/// The answer to `agent.call` (a failed call is an error where it was `waited` for) or `call.get` as the
/// call stands now.
void answer_call(const runtime::Runtime& runtime, const runtime::Call& call, AnswerTo form, bool waited,
                 Reply& reply);

/// The requests of one connection that wait for calls (`wait_ms`): each is answered when its call
/// settles, or when its time is over. With this they end, unanswered. Loop thread only.
class Waits {
public:
  explicit Waits(runtime::Runtime& runtime) : runtime_(runtime) {}
  ~Waits() { end(); }
  Waits(const Waits&) = delete;
  Waits& operator=(const Waits&) = delete;

  /// Fails with `overloaded` where too many wait already, for this connection or in the node.
  [[nodiscard]] Result<void> check() const;
  /// @pre the call has not settled, and `check` has not failed
  void start(const runtime::CallPtr& call, std::chrono::milliseconds time, AnswerTo form, Reply reply);
  /// Nobody is there any more to be answered.
  void end();

private:
  struct Wait : runtime::Waiter {
    void settled(const runtime::Call&) override { waits->answer(*this, true); }

    Waits* waits = nullptr;
    runtime::CallPtr call;
    AnswerTo form = AnswerTo::call;
    Reply reply;
    std::list<Wait>::iterator place;
    struct Expiry : async::Timer {
      Wait* wait = nullptr;
    } timer;
  };

  void answer(Wait& wait, bool settled);

  runtime::Runtime& runtime_;
  std::list<Wait> waits_;
};

}  // namespace agentd::rpc
