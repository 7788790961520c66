#include "daemon/runtime/mailbox.hpp"

#include <algorithm>
#include <utility>

namespace agentd::runtime {
namespace {

bool is_younger(const CallPtr& a, const CallPtr& b) { return a->seq > b->seq; }

bool waits_here(const Call& call) { return call.state == CallState::queued; }

/// Puts the call at the chain's end, which holds it from here on.
void link(Lane& chain, Call& call) {
  intrusive_ptr_add_ref(&call);
  call.lane_previous = chain.tail;
  (chain.tail ? chain.tail->lane_next : chain.head) = &call;
  chain.tail = &call;
}

/// Answers what the chain held.
CallPtr unlink(Lane& chain, Call& call) {
  (call.lane_previous ? call.lane_previous->lane_next : chain.head) = call.lane_next;
  (call.lane_next ? call.lane_next->lane_previous : chain.tail) = call.lane_previous;
  call.lane_next = call.lane_previous = nullptr;
  return {&call, false};
}

}  // namespace

Mailbox::~Mailbox() { clear(); }

void Mailbox::clear() {
  for (const CallPtr& call : all()) {
    if (call->lane) leave_lane(*call);
  }
  while (others_) leave_outside(*others_->outside.head);
  eligible_.clear();
  size_ = 0;
}

Mailbox::Others& Mailbox::others() {
  if (!others_) others_ = std::make_unique<Others>();
  return *others_;
}

void Mailbox::drop_others() {
  if (others_ && others_->lanes.empty() && !others_->outside.head) others_.reset();
}

CallPtr Mailbox::leave_outside(Call& call) {
  CallPtr left = unlink(others_->outside, call);
  drop_others();
  return left;
}

Lane& Mailbox::lane_of(Caller& caller) {
  if (first_.caller == &caller) return first_;
  if (others_) {
    if (const auto found = others_->lanes.find(&caller); found != others_->lanes.end()) return *found->second;
  }
  if (!first_.caller) {
    first_.caller = &caller;
    return first_;
  }
  auto& lane = others().lanes[&caller];
  lane = std::make_unique<Lane>();
  lane->caller = &caller;
  return *lane;
}

void Mailbox::add(Call& call, bool in_lane) {
  ++size_;
  if (in_lane && call.caller) {
    call.lane = &lane_of(*call.caller);
    link(*call.lane, call);
  } else if (call.state == CallState::waiting) {
    link(others().outside, call);
  }
  if (waits_here(call) && (!call.lane || call.lane->head == &call)) make_eligible(call);
}

void Mailbox::inputs_there(Call& call) {
  if (!call.lane || call.lane->head == &call) make_eligible(call);
  if (is_outside(call)) leave_outside(call);
}

bool Mailbox::is_outside(const Call& call) const {
  return !call.lane && (call.lane_previous || (others_ && others_->outside.head == &call));
}

void Mailbox::make_eligible(Call& call) {
  eligible_.emplace_back(&call);
  std::push_heap(eligible_.begin(), eligible_.end(), is_younger);
}

CallPtr Mailbox::take_eligible() {
  std::pop_heap(eligible_.begin(), eligible_.end(), is_younger);
  CallPtr call = std::move(eligible_.back());
  eligible_.pop_back();
  return call;
}

CallPtr Mailbox::take_next() {
  if (eligible_.empty()) return nullptr;
  CallPtr call = take_eligible();
  remove(*call);
  return call;
}

void Mailbox::remove(Call& call) {
  --size_;
  drop_settled();
  if (call.lane) {
    leave_lane(call);
  } else if (is_outside(call)) {
    leave_outside(call);
  }
}

void Mailbox::drop_settled() {
  while (!eligible_.empty() && !waits_here(*eligible_.front())) take_eligible();
  // One that is old may stay on top while however many come and go below it.
  if (eligible_.size() <= 2 * size_ + 64) return;
  const auto settled = std::remove_if(eligible_.begin(), eligible_.end(),
                                      [](const CallPtr& call) { return !waits_here(*call); });
  eligible_.erase(settled, eligible_.end());
  std::make_heap(eligible_.begin(), eligible_.end(), is_younger);
}

void Mailbox::leave_lane(Call& call) {
  Lane& lane = *std::exchange(call.lane, nullptr);
  const bool was_head = lane.head == &call;
  const CallPtr keep = unlink(lane, call);
  if (!lane.head) {
    // An empty lane is no lane: another caller may take its place.
    Caller* caller = std::exchange(lane.caller, nullptr);
    if (&lane != &first_ && others_) others_->lanes.erase(caller);
    drop_others();
  } else if (was_head && waits_here(*lane.head)) {
    make_eligible(*lane.head);
  }
}

std::vector<CallPtr> Mailbox::all() const {
  std::vector<CallPtr> calls;
  const auto add_lane = [&calls](const Lane& lane) {
    for (Call* call = lane.head; call; call = call->lane_next) calls.emplace_back(call);
  };
  add_lane(first_);
  if (others_) {
    add_lane(others_->outside);
    for (const auto& [caller, lane] : others_->lanes) add_lane(*lane);
  }
  for (const CallPtr& call : eligible_) {
    if (!call->lane && waits_here(*call)) calls.push_back(call);
  }
  std::sort(calls.begin(), calls.end(), [](const CallPtr& a, const CallPtr& b) { return a->seq < b->seq; });
  return calls;
}

}  // namespace agentd::runtime
