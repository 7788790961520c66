#include "sdk/src/remote_call.hpp"

#include <algorithm>
#include <typeinfo>
#include <utility>

#include "common/protocol/get_answer.hpp"
#include "sdk/src/create.hpp"
#include "sdk/src/remote_agent.hpp"

namespace agentd::sdk {
namespace {

constexpr std::chrono::seconds fetch_limit{30};
/// Past the call's deadline; the link may take 1.5 s more to say that it is over.
constexpr std::chrono::milliseconds fetch_slack{500};
constexpr std::chrono::seconds cancel_limit{30};

std::string call_params(const CallId& call) {
  // An id has no character that JSON escapes.
  return R"({"call":")" + std::string(call.text()) + "\"}";
}

}  // namespace

void ask_for_outcome(Session& session, SessionNode& node, const CallId& call,
                     std::chrono::steady_clock::time_point until, OnOutcome on_outcome) {
  session.link(node).request(
      "call.get", call_params(call), until,
      [&node, call, on_outcome = std::move(on_outcome)](const Result<std::string>& answer) {
        if (answer) return on_outcome(protocol::read_get_answer(*answer));
        Error error = answer.error();
        if (error.node().empty()) error.at_node(node.address.text());
        on_outcome(error.at_call(call.text()));
      });
}

/// Until its deadline, but who comes later has as long as the call had.
RemoteCall::Clock::time_point RemoteCall::fetch_until() const {
  const auto now = Clock::now();
  const auto latest = now + fetch_limit;
  if (!deadline_) return latest;
  return std::min(latest, now < *deadline_ ? *deadline_ + fetch_slack : now + allowed_);
}

RemoteCall::RemoteCall(Session& session, std::shared_ptr<RemoteAgent> agent, SessionNode& node,
                       const CallId& id, Plan plan)
    : session_(session), agent_(std::move(agent)), node_(node), id_(id), plan_(std::move(plan)) {
  deadline_ = plan_.deadline;
  if (deadline_) allowed_ = *deadline_ - Clock::now();
}

RemoteCall::~RemoteCall() {
  if (was_sent_) session_.release(node_, id_, was_done_);
}

std::optional<Placeholder> RemoteCall::placeholder() const {
  // A node that was asked for a call before it was sent would not wait long for it.
  if (state() == State::held) return std::nullopt;
  return Placeholder{node_.address, id_};
}

void RemoteCall::fetch(const std::shared_ptr<detail::Cell>& cell) {
  session_.post([this, cell] {
    ask_for_outcome(session_, node_, id_, fetch_until(), [this, cell](Result<detail::MessageData> outcome) {
      if (outcome) return cell->supply(std::move(*outcome));
      cell->supply_failure(located(outcome.error(), node_, agent_->address().agent));
    });
  });
}

void RemoteCall::cancel(const std::shared_ptr<detail::Cell>& cell) {
  session_.post([this, cell] {
    if (state() == State::held) {
      fail(Error(ErrorKind::cancelled, "the call was cancelled before it was sent"));
    } else if (state() == State::sent) {
      // The outcome comes as every call's does; the answer to this says nothing more.
      session_.link(node_).request("call.cancel", call_params(id_), Clock::now() + cancel_limit,
                                   [cell](const Result<std::string>&) {});
    }
  });
}

void RemoteCall::wait(detail::Cell& cell, std::optional<Clock::time_point> limit) {
  session_.wait(cell, limit);
}

void RemoteCall::send() {
  deadline_timer_.cancel();
  was_sent_ = true;
  state_ = State::sent;
  session_.link(node_).call(
      id_, std::move(plan_.params), plan_.deadline.value_or(Clock::time_point::max()),
      [this](net::Settled outcome) { settled(std::move(outcome)); },
      [this](std::string_view value) { progressed(value); });
  run_when_sent();
}

void RemoteCall::fail(Error error) {
  if (state() == State::settled) return;
  error.at_call(id_.text()).at_agent(agent_->address().agent).at_node(node_.address.text());
  const auto cell = cell_;
  state_ = State::settled;
  cell->fail(std::move(error));
  // What comes behind it in its lane waits for it no longer. Later, for this may be the lane at work.
  session_.post([agent = agent_, caller = plan_.caller] { agent->pump(caller); });
  finish();
}

void RemoteCall::settled(net::Settled outcome) {
  was_done_ = outcome.elsewhere || outcome.outcome.has_value();
  state_ = State::settled;
  // Kept until `finish`, whatever the callbacks do.
  detail::Cell* const cell = cell_.get();
  if (outcome.elsewhere) {
    cell->settle_elsewhere();
  } else if (outcome.outcome) {
    cell->settle(std::move(*outcome.outcome));
  } else {
    Error error = outcome.outcome.error();
    if (error.call().empty()) error.at_call(id_.text());
    cell->fail(located(std::move(error), node_, agent_->address().agent));
  }
  finish();
}

void RemoteCall::progressed(std::string_view value) {
  const Json piece = Json::parse(value, nullptr, false);
  // A number that no double holds: there is no Json for it.
  if (piece.is_discarded()) return;
  if (plan_.on_progress) return plan_.on_progress(value);
  cell_->progress(piece);
}

void RemoteCall::finish() {
  deadline_timer_.cancel();
  run_when_sent();
  // What keeps others alive, or much memory; the rest goes with the call.
  plan_.input = {};
  plan_.on_progress = nullptr;
  plan_.params = {};
  // Perhaps the last thing that kept the cell, and with it this call.
  const auto last = std::move(cell_);
}

void RemoteCall::run_when_sent() {
  for (auto& work : std::exchange(when_sent_, {})) work();
}

void RemoteCall::watch_deadline() {
  if (!plan_.deadline) return;
  deadline_timer_.call = this;
  session_.loop().start(deadline_timer_, *plan_.deadline, [](async::Timer& timer) {
    static_cast<DeadlineTimer&>(timer).call->fail(
        Error(ErrorKind::deadline_exceeded, "the call's input was not there by its deadline"));
  });
}

RemoteCall* remote_call_of(const detail::Cell& cell) {
  auto* source = cell.source();
  if (!source || typeid(*source) != typeid(RemoteCall)) return nullptr;
  return static_cast<RemoteCall*>(source);
}

}  // namespace agentd::sdk
