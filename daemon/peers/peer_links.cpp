#include "daemon/peers/peer_links.hpp"

#include <algorithm>
#include <utility>

#include "common/protocol/get_answer.hpp"
#include "common/protocol/params.hpp"
#include "daemon/peers/outgoing_input.hpp"

namespace agentd::peers {
namespace {

/// How long the other node gets to send what waits before a value is asked for again.
constexpr std::chrono::milliseconds fetch_pause{50};

/// What goes to another node in one frame at most, which takes 2 MiB: there must be room for an envelope.
constexpr std::size_t most_sent = (2U << 20) - (4U << 10);

Error too_large_to_send(std::size_t size, const NodeAddress& node) {
  Error error(ErrorKind::invalid_params, "this call has " + std::to_string(size) +
                                             " bytes with its input, and " + node.text() + " takes " +
                                             std::to_string(most_sent) +
                                             " at once: hand on placeholders, not what they stand for");
  return error.with("limit", "input");
}

Error input_failed(const Error& cause) {
  Error error(ErrorKind::input_failed, "an input of this call failed: " + cause.root().message());
  return error.because(cause);
}

Error not_fetched_in_time(const Placeholder& placeholder) {
  Error error(ErrorKind::deadline_exceeded,
              "call " + std::string(placeholder.call.text()) + " is done at " + placeholder.node.text() +
                  ", but its value could not be fetched from there before the deadline");
  return error.at_call(placeholder.call.text()).at_node(placeholder.node.text());
}

std::string call_params(const runtime::ForeignCall& call, std::string_view input) {
  protocol::OutgoingCall outgoing;
  outgoing.agent = call.agent.agent;
  outgoing.method = call.method;
  outgoing.call = call.call.text();
  outgoing.input = input;
  outgoing.caller = call.caller;
  outgoing.path = &call.path;
  std::string params;
  protocol::append_call_params(params, outgoing);
  // The link adds the deadline from what remains at each sending, and the closing brace.
  params.pop_back();
  return params;
}

}  // namespace

PeerLinks::PeerLinks(async::Loop& loop, PeerSettings settings)
    : loop_(loop), settings_(std::move(settings)), self_(std::make_shared<PeerLinks*>(this)) {}

PeerLinks::~PeerLinks() { stop(); }

void PeerLinks::stop() {
  if (std::exchange(stopped_, true)) return;
  const Error why(ErrorKind::shutting_down, "this node is shutting down");
  for (auto& [node, link] : links_) link->stop(why);
  open_ -= links_.size();
  links_.clear();
  for (const auto& [node, link] : std::exchange(leaving_, {})) link->stop(why);
  lanes_.clear();
  for (const auto& [call, held] : std::exchange(held_, {})) held->outgoing.on_outcome(why);
  // Those that were asked for failed with their links.
  for (const LeftOut& left_out : std::exchange(left_out_, {})) left_out.awaited.on_outcome(why);
}

void PeerLinks::fail_later(OnOutcome on_outcome, Error error) {
  loop_.post([on_outcome = std::move(on_outcome), error = std::move(error)] { on_outcome(error); });
}

std::string PeerLinks::token_for(const NodeAddress& node) const {
  if (const auto own = tokens_.find(node); own != tokens_.end()) return own->second;
  return settings_.policy.gets_token(node) ? settings_.token : std::string();
}

void PeerLinks::set_token(std::string token) {
  settings_.token = std::move(token);
  for (const auto& [node, link] : links_) link->set_token(token_for(node));
}

void PeerLinks::set_token_of(const NodeAddress& node, const std::string& token) {
  tokens_[node] = token;
  if (const auto there = links_.find(node); there != links_.end()) there->second->set_token(token);
}

Result<std::shared_ptr<net::NodeLink>> PeerLinks::link(const NodeAddress& node) {
  if (stopped_) return Error(ErrorKind::shutting_down, "this node is shutting down");
  if (!settings_.policy.may_name(node)) {
    Error error(ErrorKind::peer_refused, "this node (" + settings_.self.text() + ") does not dial " +
                                             node.text() + ": add it to its list of peers (--peer " +
                                             node.text() + ") if it should");
    return error.at_node(settings_.self.text());
  }
  if (const auto found = links_.find(node); found != links_.end()) return found->second;
  if (links_.size() >= settings_.most_links) make_room();
  if (links_.size() >= settings_.most_links) {
    Error error(ErrorKind::overloaded, "this node (" + settings_.self.text() + ") waits for " +
                                           std::to_string(links_.size()) +
                                           " other nodes, which is its limit, and does not dial " +
                                           node.text() + " as well: call again later, with a new id");
    return error.with("limit", "peers").at_node(settings_.self.text());
  }
  net::LinkSettings link;
  link.node = node;
  link.caller = settings_.caller;
  link.token = token_for(node);
  link.give_up_after = settings_.give_up_after;
  link.may_dial = [policy = settings_.policy](const NodeAddress& asked,
                                              const boost::asio::ip::address& address) {
    return policy.may_dial(asked, address);
  };
  link.traffic = traffic_;
  ++open_;
  return links_.emplace(node, net::NodeLink::make(loop_, std::move(link))).first->second;
}

/// Links that nothing waits for go. Without any, one goes that has never reached its node: where somebody
/// names very many that are not there, they keep nobody from those that are.
void PeerLinks::make_room() {
  const auto gone = std::erase_if(links_, [](const auto& entry) {
    if (entry.second->waiting() > 0) return false;
    entry.second->stop(Error(ErrorKind::shutting_down, "the connection was idle"));
    return true;
  });
  open_ -= gone;
  if (gone > 0) return;
  const auto unreached =
      std::find_if(links_.begin(), links_.end(), [](const auto& entry) { return entry.second->unreached(); });
  if (unreached == links_.end()) return;
  leaving_.emplace_back(unreached->first, std::move(unreached->second));
  links_.erase(unreached);
  --open_;
  // Not now: who waits for it may come back here.
  loop_.post([alive = std::weak_ptr<PeerLinks*>(self_)] {
    if (const auto self = alive.lock()) (*self)->stop_leaving();
  });
}

void PeerLinks::stop_leaving() {
  for (const auto& [node, link] : std::exchange(leaving_, {})) {
    Error why(ErrorKind::peer_unreachable,
              "cannot reach agentd at " + node.text() + "; it was tried once only, since this node (" +
                  settings_.self.text() + ") waits for as many other nodes as it may");
    link->stop(why.at_node(node.text()));
  }
}

PeerLinks::Interested::Interested(PeerLinks& all, Placeholder wanted, OnOutcome told)
    : links(all.self_), placeholder(std::move(wanted)), on_outcome(std::move(told)) {
  ++all.wanted_[placeholder.node][placeholder.call];
}

PeerLinks::Interested::~Interested() {
  if (const auto alive = links.lock()) (*alive)->not_wanted(placeholder);
}

runtime::ForeignNodes::Interest PeerLinks::watch(const Placeholder& placeholder,
                                                 std::chrono::steady_clock::time_point deadline,
                                                 OnOutcome on_outcome) {
  const auto interested = std::make_shared<Interested>(*this, placeholder, std::move(on_outcome));
  const OnOutcome told = [weak = std::weak_ptr<Interested>(interested)](runtime::Outcome outcome) {
    if (const auto here = weak.lock()) here->on_outcome(std::move(outcome));
  };
  const auto there = link(placeholder.node);
  if (!there) {
    fail_later(told, there.error());
    return interested;
  }
  (*there)->subscribe(
      placeholder.call, deadline,
      [this, awaited = Awaited{placeholder, deadline, told, interested}](net::Settled outcome) {
        settled(awaited, std::move(outcome));
      },
      nullptr);
  return interested;
}

void PeerLinks::not_wanted(const Placeholder& placeholder) {
  const auto node = wanted_.find(placeholder.node);
  const auto wanted = node->second.find(placeholder.call);
  if (--wanted->second > 0) return;
  node->second.erase(wanted);
  if (node->second.empty()) wanted_.erase(node);
  const auto there = links_.find(placeholder.node);
  if (there != links_.end()) there->second->unsubscribe(placeholder.call);
}

void PeerLinks::settled(const Awaited& awaited, net::Settled settled) {
  if (!settled.elsewhere) return awaited.on_outcome(std::move(settled.outcome));
  LeftOut& left_out = left_out_.emplace_back();
  left_out.awaited = awaited;
  left_out.place = std::prev(left_out_.end());
  left_out.pause.links = this;
  left_out.pause.left_out = &left_out;
  fetch(left_out);
}

void PeerLinks::fetch(LeftOut& left_out) {
  const Awaited& awaited = left_out.awaited;
  if (awaited.is_given_up()) {
    left_out_.erase(left_out.place);
    return;
  }
  const auto there = link(awaited.placeholder.node);
  if (!there) return fetched(left_out, there.error());
  // An id has no character that JSON escapes.
  (*there)->request("call.get", R"({"call":")" + std::string(awaited.placeholder.call.text()) + R"("})",
                    awaited.deadline,
                    [this, &left_out](const Result<std::string>& answer) { fetched(left_out, answer); });
}

void PeerLinks::fetched(LeftOut& left_out, const Result<std::string>& answer) {
  const bool refused = !answer && answer.error().kind() == ErrorKind::overloaded;
  if (refused && loop_.now() < left_out.awaited.deadline) {
    const auto again = std::min(loop_.now() + fetch_pause, left_out.awaited.deadline);
    return loop_.start(left_out.pause, again, [](async::Timer& timer) {
      const auto& over = static_cast<LeftOut::Pause&>(timer);
      over.links->fetch(*over.left_out);
    });
  }
  const Awaited awaited = std::move(left_out.awaited);
  left_out_.erase(left_out.place);
  if (refused) return awaited.on_outcome(not_fetched_in_time(awaited.placeholder).because(answer.error()));
  awaited.on_outcome(answer ? protocol::read_get_answer(*answer) : runtime::Outcome(answer.error()));
}

void PeerLinks::call(runtime::ForeignCall call, OnOutcome on_outcome, OnProgress on_progress) {
  std::string lane = call.caller + ' ' + call.agent.text();
  OutgoingCall outgoing{std::move(call), std::move(on_outcome), std::move(on_progress)};
  // What comes later in the same lane waits behind what is held: order is kept.
  const bool goes = stopped_ || (!lanes_.contains(lane) && can_be_sent(outgoing.call.input));
  if (goes) return send(std::move(outgoing));
  hold(std::move(lane), std::move(outgoing));
}

void PeerLinks::hold(std::string lane, OutgoingCall outgoing) {
  const CallId id = outgoing.call.call;
  const Message input = outgoing.call.input;
  auto& held = held_[id] = std::make_unique<Held>();
  auto& queue = lanes_[lane];
  held->place = queue.insert(queue.end(), held.get());
  held->lane = std::move(lane);
  held->outgoing = std::move(outgoing);
  held->timer.links = this;
  held->timer.held = held.get();
  loop_.start(held->timer, held->outgoing.call.deadline, [](async::Timer& timer) {
    const auto& late = static_cast<Held::Deadline&>(timer);
    late.links->fail_held(*late.held, Error(ErrorKind::deadline_exceeded,
                                            "the deadline passed while the call waited here for its input"));
  });
  when_part_settles(input, [&loop = loop_, id, alive = std::weak_ptr<PeerLinks*>(self_)] {
    if (alive.expired()) return;
    loop.post([id, alive] {
      if (const auto self = alive.lock()) (*self)->part_came(id);
    });
  });
}

void PeerLinks::part_came(const CallId& call) {
  const auto found = held_.find(call);
  if (found == held_.end()) return;
  Held& held = *found->second;
  if (const Error* failed = failure_of(held.outgoing.call.input))
    return fail_held(held, input_failed(*failed));
  send_ready(std::string(held.lane));
}

void PeerLinks::send_ready(const std::string& lane) {
  for (auto held = lanes_.find(lane); held != lanes_.end(); held = lanes_.find(lane)) {
    Held& first = *held->second.front();
    if (!can_be_sent(first.outgoing.call.input)) return;
    send(take(first));
  }
}

PeerLinks::OutgoingCall PeerLinks::take(Held& held) {
  const auto lane = lanes_.find(held.lane);
  lane->second.erase(held.place);
  if (lane->second.empty()) lanes_.erase(lane);
  OutgoingCall outgoing = std::move(held.outgoing);
  held_.erase(outgoing.call.call);
  return outgoing;
}

void PeerLinks::fail_held(Held& held, const Error& error) {
  const std::string lane = held.lane;
  const OutgoingCall outgoing = take(held);
  Error located = error;
  located.at_call(outgoing.call.call.text())
      .at_agent(outgoing.call.agent.agent)
      .at_node(settings_.self.text());
  fail_later(outgoing.on_outcome, std::move(located));
  send_ready(lane);
}

void PeerLinks::send(OutgoingCall outgoing) {
  runtime::ForeignCall& call = outgoing.call;
  const auto there = link(call.agent.node);
  if (!there) return fail_later(std::move(outgoing.on_outcome), there.error());
  std::string input;
  if (const auto appended = append_input(input, call.input); !appended) {
    return fail_later(std::move(outgoing.on_outcome), input_failed(appended.error()));
  }
  std::string params = call_params(call, input);
  if (params.size() > most_sent) {
    Error error = too_large_to_send(params.size(), call.agent.node);
    error.at_call(call.call.text()).at_agent(call.agent.agent).at_node(settings_.self.text());
    return fail_later(std::move(outgoing.on_outcome), std::move(error));
  }
  // The input stays wanted until the call has settled.
  (*there)->call(
      call.call, std::move(params), call.deadline,
      [this, keep = call.input,
       awaited = Awaited{{call.agent.node, call.call}, call.deadline, std::move(outgoing.on_outcome), {}}](
          net::Settled outcome) {
        if (!outcome.outcome) not_done_.insert(awaited.placeholder.call);
        settled(awaited, std::move(outcome));
      },
      std::move(outgoing.on_progress));
}

void PeerLinks::cancel(const Placeholder& placeholder) {
  if (const auto held = held_.find(placeholder.call); held != held_.end()) {
    return fail_held(*held->second, Error(ErrorKind::cancelled, "the call was cancelled before it was sent"));
  }
  const auto there = links_.find(placeholder.node);
  if (there == links_.end()) return;
  there->second->notify("call.cancel", R"({"call":")" + std::string(placeholder.call.text()) + R"("})");
}

void PeerLinks::release(const Placeholder& placeholder) {
  const bool was_done = not_done_.erase(placeholder.call) == 0;
  const auto there = links_.find(placeholder.node);
  if (there != links_.end()) there->second->release(placeholder.call, was_done);
}

}  // namespace agentd::peers
