#include "common/net/waiting_calls.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "common/json/append.hpp"
#include "common/net/reconnect.hpp"
#include "common/protocol/values.hpp"

namespace agentd::net {
namespace {

constexpr std::chrono::milliseconds longest_grace{10'000};
constexpr std::size_t ids_per_request = 4096;
/// So much is written within some turns: releases need not overtake it.
constexpr std::size_t short_outbox = 4 * protocol::Outbox::frame_size;

void append_number(std::string& out, std::int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end.ptr);
}

std::string ids_array(std::vector<CallId>::const_iterator begin, std::vector<CallId>::const_iterator end) {
  std::string text;
  text.reserve(static_cast<std::size_t>(end - begin) * (sizeof(R"("01JABCDEFGHJKMNPQRSTVWXYZ0",)") - 1) + 32);
  text += R"({"calls":[)";
  for (auto id = begin; id != end; ++id) {
    if (id != begin) text += ',';
    // An id has no character that JSON escapes.
    json::append_all(text, "\"", id->text(), "\"");
  }
  return text += ']';
}

std::optional<std::uint64_t> request_number(std::string_view id) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (failed != std::errc() || end != id.data() + id.size()) return std::nullopt;
  return number;
}

Settled read_outcome(const protocol::SettledNotice& notice, const json::Ends* ends) {
  Settled settled;
  if (notice.state == "done") {
    if (notice.value.empty()) {
      settled.elsewhere = true;
    } else {
      settled.outcome = protocol::read_message(notice.value, ends);
    }
  } else if (!notice.error.empty()) {
    settled.outcome = protocol::read_error(notice.error);
  } else if (notice.state == "cancelled") {
    settled.outcome = Error(ErrorKind::cancelled, "the call was cancelled");
  } else {
    settled.outcome = Error(ErrorKind::internal,
                            "the node says that the call is " + std::string(notice.state) + ", but not why");
  }
  return settled;
}

}  // namespace

WaitingCalls::WaitingCalls(const NodeAddress& node, Clockwork& clockwork)
    : node_(node.text()), clockwork_(clockwork), outbox_(new_outbox()), ahead_(new_outbox()) {}

protocol::Outbox WaitingCalls::new_outbox() {
  protocol::Outbox outbox;
  outbox.pack(true);
  return outbox;
}

WaitingCalls::Entry& WaitingCalls::new_entry(const CallId& call) {
  const auto made = calls_.emplace(std::piecewise_construct, std::forward_as_tuple(call), std::tuple<>());
  made->second.call = &made->first;
  return made->second;
}

void WaitingCalls::call(const CallId& call, std::string params, Clock::time_point deadline,
                        NodeLink::OnSettled on_settled, NodeLink::OnProgress on_progress) {
  Entry& entry = new_entry(call);
  entry.text = std::move(params);
  entry.on_settled = std::move(on_settled);
  entry.on_progress = std::move(on_progress);
  append(entry, Kind::call, deadline);
}

void WaitingCalls::subscribe(const CallId& call, Clock::time_point deadline, NodeLink::OnSettled on_settled,
                             NodeLink::OnProgress on_progress) {
  Entry& entry = new_entry(call);
  entry.on_settled = std::move(on_settled);
  entry.on_progress = std::move(on_progress);
  append(entry, Kind::subscription, deadline);
}

void WaitingCalls::unsubscribe(const CallId& call) {
  auto [entry, end] = calls_.equal_range(call);
  while (entry != end) {
    const auto next = std::next(entry);
    if (entry->second.kind == Kind::subscription) {
      unlink(entry->second);
      calls_.erase(entry);
    }
    entry = next;
  }
}

void WaitingCalls::request(std::string_view method, std::string_view params, Clock::time_point deadline,
                           NodeLink::OnResult on_result) {
  const std::uint64_t number = ++last_request_;
  Entry& entry = requests_[number];
  entry.request = number;
  protocol::append_request(entry.text, std::to_string(number), method, params);
  entry.on_result = std::move(on_result);
  append(entry, Kind::request, deadline);
}

void WaitingCalls::append(Entry& entry, Kind kind, Clock::time_point deadline) {
  entry.owner = this;
  entry.kind = kind;
  entry.has_deadline = deadline != Clock::time_point::max();
  entry.deadline = entry.has_deadline ? deadline : clockwork_.now() + unconnected_limit;
  entry.previous = std::exchange(last_, &entry);
  (entry.previous ? entry.previous->next : first_) = &entry;
  clockwork_.start(entry, entry.deadline, &WaitingCalls::expired);
  if (open_) send(entry);
}

void WaitingCalls::unlink(Entry& entry) {
  (entry.previous ? entry.previous->next : first_) = entry.next;
  (entry.next ? entry.next->previous : last_) = entry.previous;
}

std::chrono::milliseconds WaitingCalls::remaining(const Entry& entry) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(entry.deadline - clockwork_.now());
  return std::max(left, std::chrono::milliseconds(1));
}

void WaitingCalls::send(Entry& entry) {
  entry.sent = true;
  switch (entry.kind) {
    case Kind::call:
      send_call(entry);
      break;
    case Kind::subscription:
      subscribing_.push_back(*entry.call);
      subscribing_grace_ = std::max(subscribing_grace_, std::min(longest_grace, remaining(entry)));
      break;
    case Kind::request:
      outbox_.begin() += entry.text;
      outbox_.end();
      break;
  }
}

void WaitingCalls::send_call(const Entry& entry) {
  std::string& out = outbox_.begin();
  json::append_all(out, R"({"jsonrpc":"2.0","method":"agent.call","params":)", entry.text);
  if (entry.has_deadline) {
    out += R"(,"deadline_ms":)";
    append_number(out, remaining(entry).count());
  }
  out += "}}";
  outbox_.end();
}

void WaitingCalls::notify(std::string_view method, std::string_view params) {
  if (!open_) return;
  protocol::append_notification(outbox_.begin(), method, params);
  outbox_.end();
}

void WaitingCalls::release(const CallId& call, bool was_done) {
  (was_done ? releases_of_done_ : other_releases_).push_back(call);
}

void WaitingCalls::end_turn() {
  if (!open_) return;
  if (!subscribing_.empty()) {
    auto calls = std::exchange(subscribing_, {});
    std::erase_if(calls, [this](const CallId& call) { return !calls_.contains(call); });
    send_subscriptions(calls, std::exchange(subscribing_grace_, std::chrono::milliseconds(0)));
  }
  send_releases();
}

void WaitingCalls::send_releases() {
  send_releases(releases_of_done_, outbox_.bytes() <= short_outbox ? outbox_ : ahead_);
  send_releases(other_releases_, outbox_);
}

void WaitingCalls::send_releases(std::vector<CallId>& calls, protocol::Outbox& outbox) {
  for (std::size_t done = 0; done < calls.size(); done += ids_per_request) {
    const auto begin = calls.cbegin() + static_cast<std::ptrdiff_t>(done);
    const auto count = std::min(ids_per_request, calls.size() - done);
    protocol::append_notification(outbox.begin(), "call.release",
                                  ids_array(begin, begin + static_cast<std::ptrdiff_t>(count)) + '}');
    outbox.end();
  }
  calls.clear();
}

void WaitingCalls::send_subscriptions(const std::vector<CallId>& calls, std::chrono::milliseconds grace) {
  for (std::size_t done = 0; done < calls.size(); done += ids_per_request) {
    const auto begin = calls.cbegin() + static_cast<std::ptrdiff_t>(done);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(ids_per_request, calls.size() - done));
    const std::uint64_t number = ++last_request_;
    subscribe_requests_.emplace(number, std::vector<CallId>(begin, end));
    std::string params = ids_array(begin, end) + R"(,"grace_ms":)";
    append_number(params, grace.count());
    protocol::append_request(outbox_.begin(), std::to_string(number), "call.subscribe", params + '}');
    outbox_.end();
  }
}

void WaitingCalls::opened(const Greeting& greeting) {
  const bool forgotten = !boot_.empty() && greeting.boot != boot_ && !greeting.durable;
  boot_ = greeting.boot;
  open_ = true;
  std::vector<CallId> lost;
  for (Entry* entry = first_; entry; entry = entry->next) {
    if (forgotten && entry->sent && entry->kind != Kind::request) {
      lost.push_back(*entry->call);
    } else {
      send(*entry);
    }
  }
  for (const CallId& call : lost) {
    Error error(ErrorKind::outcome_unknown,
                "agentd at " + node_ + " was started anew and has forgotten call " +
                    std::string(call.text()) + ": it may have run, and its outcome is lost");
    error.at_call(call.text()).at_node(node_);
    settle_all(call, {std::move(error)});
  }
}

void WaitingCalls::closed(const Error& why) {
  if (open_ || !last_failure_) lost_at_ = clockwork_.now();
  open_ = false;
  last_failure_ = why;
  outbox_ = new_outbox();
  ahead_ = new_outbox();
  subscribing_.clear();
  subscribe_requests_.clear();
}

template <typename Outcome>
void WaitingCalls::settled(const CallId& call, const Outcome& outcome) {
  auto [entry, end] = calls_.equal_range(call);
  if (entry == end) return;
  if (std::next(entry) != end) return settle_all(call, outcome());
  // Taken out first: the callback may make, or fail, any entry.
  const NodeLink::OnSettled on_settled = std::move(entry->second.on_settled);
  unlink(entry->second);
  calls_.erase(entry);
  on_settled(outcome());
}

bool WaitingCalls::received(std::string_view text) {
  if (done_.read(text)) {
    for (const protocol::DoneNotice& done : done_.notices()) {
      settled(done.call, [&] { return Settled{protocol::copy_message(done.value)}; });
    }
    return true;
  }
  if (frame_.open(text)) return false;
  for (protocol::Envelope envelope; frame_.next(envelope);) {
    if (envelope.kind == protocol::Envelope::Kind::response) {
      answered(envelope);
    } else if (envelope.kind != protocol::Envelope::Kind::notification) {
      continue;
    } else if (envelope.method == "call.settled") {
      if (const auto notice = protocol::read_settled(envelope.params, envelope.ends)) {
        settled(notice->call, [&] { return outcome_of(*notice, envelope.ends); });
      }
    } else if (envelope.method == "call.progress") {
      if (const auto notice = protocol::read_progress(envelope.params)) progressed(*notice);
    }
  }
  return true;
}

void WaitingCalls::answered(const protocol::Envelope& answer) {
  const auto number = request_number(answer.id);
  if (!number) return;
  const auto found = requests_.find(*number);
  if (found == requests_.end()) return subscriptions_answered(*number, answer);
  unlink(found->second);
  const auto entry = requests_.extract(found);
  if (answer.error.empty()) {
    entry.mapped().on_result(std::string(answer.result));
  } else {
    entry.mapped().on_result(protocol::read_error(answer.error));
  }
}

void WaitingCalls::subscriptions_answered(std::uint64_t request, const protocol::Envelope& answer) {
  const auto found = subscribe_requests_.find(request);
  if (found == subscribe_requests_.end()) return;
  const auto calls = subscribe_requests_.extract(found);
  if (answer.error.empty()) return;
  for (const CallId& call : calls.mapped()) {
    settle_all(call, {protocol::read_error(answer.error)}, Kind::subscription);
  }
}

/// What is wrong with an answer is said with who gave it.
Settled WaitingCalls::outcome_of(const protocol::SettledNotice& notice, const json::Ends* ends) const {
  Settled settled = read_outcome(notice, ends);
  if (settled.outcome) return settled;
  Error error = settled.outcome.error();
  if (error.node().empty()) settled.outcome = error.at_call(notice.call.text()).at_node(node_);
  return settled;
}

/// Takes them all out first: a callback may make, or fail, any entry.
void WaitingCalls::settle_all(const CallId& call, Settled settled, std::optional<Kind> only) {
  std::vector<NodeLink::OnSettled> others;
  NodeLink::OnSettled first;
  auto [entry, end] = calls_.equal_range(call);
  while (entry != end) {
    const auto next = std::next(entry);
    if (!only || entry->second.kind == *only) {
      if (first) {
        others.push_back(std::move(entry->second.on_settled));
      } else {
        first = std::move(entry->second.on_settled);
      }
      unlink(entry->second);
      calls_.erase(entry);
    }
    entry = next;
  }
  for (auto& other : others) other(settled);
  if (first) first(std::move(settled));
}

void WaitingCalls::progressed(const protocol::ProgressNotice& notice) {
  std::vector<NodeLink::OnProgress> watchers;
  const auto [begin, end] = calls_.equal_range(notice.call);
  for (auto entry = begin; entry != end; ++entry) {
    auto& last = entry->second.last_progress;
    // After a reconnect the node may repeat itself.
    if (!entry->second.on_progress || (last && notice.seq <= *last)) continue;
    last = notice.seq;
    watchers.push_back(entry->second.on_progress);
  }
  for (auto& watcher : watchers) watcher(notice.value);
}

void WaitingCalls::expired(async::Timer& timer) {
  auto& entry = static_cast<Entry&>(timer);
  entry.owner->expire(entry);
}

void WaitingCalls::expire(Entry& entry) {
  const auto now = clockwork_.now();
  if (!entry.has_deadline && (open_ || lost_at_ > entry.deadline)) {
    // The node has a longer default deadline than we think, and keeps it; we only watch that it is
    // there. Once it is lost, it has as long as a silent one to come back.
    const auto until = open_ ? now + std::chrono::seconds(5) : lost_at_ + Liveness::answer_limit;
    if (until > now) return clockwork_.start(entry, until, &WaitingCalls::expired);
  } else if (open_ && entry.sent && !entry.overdue) {
    entry.overdue = true;
    return clockwork_.start(entry, entry.deadline + slack, &WaitingCalls::expired);
  }
  fail(entry, overdue_error(entry));
}

Error WaitingCalls::overdue_error(const Entry& entry) const {
  const std::string what = entry.kind == Kind::request
                               ? "a request to agentd at " + node_
                               : "call " + std::string(entry.call->text()) + " at " + node_;
  Error error = !entry.sent && last_failure_
                    ? *last_failure_
                    : Error(ErrorKind::deadline_exceeded,
                            what + " had no answer within its deadline" +
                                (last_failure_ && !open_ ? "; " + last_failure_->message() : ""));
  if (entry.call) error.at_call(entry.call->text());
  error.at_node(node_);
  return error;
}

void WaitingCalls::fail(Entry& entry, const Error& why) {
  unlink(entry);
  if (entry.kind == Kind::request) {
    const auto node = requests_.extract(entry.request);
    return node.mapped().on_result(why);
  }
  auto [found, end] = calls_.equal_range(*entry.call);
  while (&found->second != &entry) ++found;
  const auto node = calls_.extract(found);
  Error error = why;
  error.at_call(node.key().text());
  node.mapped().on_settled({std::move(error)});
}

void WaitingCalls::fail_all(const Error& why) {
  // Taken out first: what the callbacks make waits on, and they may take out others.
  std::vector<Entry*> order;
  for (Entry* entry = first_; entry; entry = entry->next) order.push_back(entry);
  Calls calls;
  calls.swap(calls_);
  Requests requests;
  requests.swap(requests_);
  first_ = last_ = nullptr;
  for (Entry* entry : order) {
    entry->cancel();
    if (entry->kind == Kind::request) {
      entry->on_result(why);
    } else {
      Error error = why;
      entry->on_settled({std::move(error.at_call(entry->call->text()))});
    }
  }
}

}  // namespace agentd::net
