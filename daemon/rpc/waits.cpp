#include "daemon/rpc/waits.hpp"

#include <iterator>
#include <utility>

#include "daemon/rpc/views.hpp"

namespace agentd::rpc {

void answer_call(const runtime::Runtime& runtime, const runtime::Call& call, AnswerTo form, bool waited,
                 Reply& reply) {
  // The text of an answer is a good part of what a notification would cost.
  if (!reply.wanted()) return;
  // Nor is it made to be refused: a client may ask for a thousand values that it does not read.
  if (call.content && (waited || form == AnswerTo::get) && !reply.has_room(call.content->size())) {
    return reply.no_room();
  }
  if (form == AnswerTo::get) return reply.result(call_details(runtime, call));
  if (waited && call.error) return reply.error(*call.error);
  reply.result(call_answer(runtime, call, waited));
}

Result<void> Waits::check() const {
  const std::size_t most = runtime_.limits().waits;
  if (runtime_.tally().waits + runtime_.others().waits >= most) {
    return runtime::overloaded("waits", std::to_string(most) +
                                            " requests wait for calls on this node (wait_ms), which is its "
                                            "limit (limits.waits): ask again later");
  }
  if (waits_.size() >= runtime::share_of(most)) {
    return runtime::overloaded("connection_waits",
                               "this connection has a quarter of all requests that may wait for calls on "
                               "this node (limits.waits): subscribe to the calls instead, or wait for fewer");
  }
  return {};
}

void Waits::start(const runtime::CallPtr& call, std::chrono::milliseconds time, AnswerTo form, Reply reply) {
  Wait& wait = waits_.emplace_back();
  runtime_.count_waits(1);
  wait.waits = this;
  wait.call = call;
  wait.form = form;
  wait.reply = std::move(reply);
  wait.place = std::prev(waits_.end());
  wait.timer.wait = &wait;
  runtime_.loop().start(wait.timer, runtime::Runtime::Clock::now() + time, [](async::Timer& timer) {
    Wait& over = *static_cast<Wait::Expiry&>(timer).wait;
    over.waits->answer(over, false);
  });
  call->waiters.push_back(wait);
}

void Waits::answer(Wait& wait, bool settled) {
  // Out of the list first: with its last answer the connection may go, and this with it.
  std::list<Wait> answered;
  answered.splice(answered.end(), waits_, wait.place);
  runtime_.count_waits(-1);
  answer_call(runtime_, *wait.call, wait.form, settled, wait.reply);
}

void Waits::end() {
  if (!waits_.empty()) runtime_.count_waits(-static_cast<std::int64_t>(waits_.size()));
  waits_.clear();
}

}  // namespace agentd::rpc
