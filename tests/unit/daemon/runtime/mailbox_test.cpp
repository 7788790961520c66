#include "daemon/runtime/mailbox.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

#include "daemon/runtime/hosted_agent.hpp"
#include "daemon/runtime/run_context.hpp"

namespace agentd::runtime {
namespace {

/// Calls named by their number, in a mailbox.
struct Post {
  CallPtr add(const CallerPtr& caller, CallState state = CallState::queued, bool in_lane = true) {
    CallPtr call(new Call);
    call->seq = ++last;
    call->caller = caller;
    call->state = state;
    mailbox.add(*call, in_lane);
    return call;
  }
  std::uint64_t next() {
    const CallPtr call = mailbox.take_next();
    if (call) call->state = CallState::running;
    return call ? call->seq : 0;
  }
  void give_inputs(const CallPtr& call) {
    call->state = CallState::queued;
    mailbox.inputs_there(*call);
  }
  void fail(const CallPtr& call) {
    call->state = CallState::failed;
    mailbox.remove(*call);
  }

  Mailbox mailbox;
  std::uint64_t last = 0;
  CallerPtr a{new Caller("a")};
  CallerPtr b{new Caller("b")};
};

}  // namespace

TEST_CASE("a mailbox gives the oldest call first, and none when it is empty") {
  Post post;
  CHECK(post.next() == 0);
  post.add(post.a);
  post.add(post.b);
  post.add(post.a);
  CHECK(post.mailbox.size() == 3);
  CHECK(post.next() == 1);
  CHECK(post.next() == 2);
  CHECK(post.next() == 3);
  CHECK(post.next() == 0);
  CHECK(post.mailbox.size() == 0);
}

TEST_CASE("a waiting head holds its own caller's calls, and nobody else's") {
  Post post;
  const auto head = post.add(post.a, CallState::waiting);
  post.add(post.a);
  post.add(post.b);
  post.add(nullptr);
  CHECK(post.next() == 3);
  CHECK(post.next() == 4);
  CHECK(post.next() == 0);
  post.give_inputs(head);
  CHECK(post.next() == 1);
  CHECK(post.next() == 2);
}

TEST_CASE("a call whose inputs come early still waits for its turn") {
  Post post;
  const auto first = post.add(post.a, CallState::waiting);
  const auto second = post.add(post.a, CallState::waiting);
  post.give_inputs(second);
  CHECK(post.next() == 0);
  post.give_inputs(first);
  CHECK(post.next() == 1);
  CHECK(post.next() == 2);
}

TEST_CASE("a call that settles without having run leaves its lane at once") {
  Post post;
  const auto first = post.add(post.a, CallState::waiting);
  const auto second = post.add(post.a);
  post.add(post.a);
  SECTION("at the head") {
    post.fail(first);
    CHECK(post.next() == 2);
    CHECK(post.next() == 3);
  }
  SECTION("in the middle") {
    post.fail(second);
    CHECK(post.next() == 0);
    post.give_inputs(first);
    CHECK(post.next() == 1);
    CHECK(post.next() == 3);
  }
  CHECK(post.mailbox.size() == 0);
}

TEST_CASE("outside of lanes whatever is ready runs") {
  Post post;
  const auto first = post.add(post.a, CallState::waiting, false);
  post.add(post.a, CallState::queued, false);
  CHECK(post.next() == 2);
  CHECK(post.next() == 0);
  post.give_inputs(first);
  CHECK(post.next() == 1);
  CHECK(post.mailbox.size() == 0);
}

TEST_CASE("a call outside of lanes leaves in any state") {
  Post post;
  post.fail(post.add(nullptr, CallState::waiting));
  post.fail(post.add(nullptr, CallState::queued));
  CHECK(post.mailbox.size() == 0);
  CHECK(post.next() == 0);
}

TEST_CASE("calls outside of lanes leave in any order, however many wait for their inputs") {
  Post post;
  std::vector<CallPtr> calls;
  for (int i = 0; i < 100'000; ++i) calls.push_back(post.add(nullptr, CallState::waiting));
  // From both ends to the middle; every third one gets its inputs.
  std::vector<std::uint64_t> ready;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const CallPtr& call = calls[i % 2 == 0 ? i / 2 : calls.size() - 1 - i / 2];
    if (i % 3 == 0) {
      post.give_inputs(call);
      ready.push_back(call->seq);
    } else {
      post.fail(call);
    }
  }
  CHECK(post.mailbox.size() == ready.size());
  std::sort(ready.begin(), ready.end());
  std::vector<std::uint64_t> ran;
  for (std::uint64_t next = post.next(); next != 0; next = post.next()) ran.push_back(next);
  CHECK(ran == ready);
  for (const CallPtr& call : calls) REQUIRE(call->use_count() == 1);
}

TEST_CASE("what has settled is not eligible any more") {
  Post post;
  const auto first = post.add(post.a);
  const auto second = post.add(post.b);
  const auto third = post.add(nullptr);
  post.add(post.b, CallState::waiting);
  CHECK(post.mailbox.has_eligible());
  SECTION("the oldest first") {
    post.fail(first);
    post.fail(second);
    CHECK(post.mailbox.has_eligible());
    post.fail(third);
  }
  SECTION("the oldest last") {
    post.fail(third);
    post.fail(second);
    CHECK(post.mailbox.has_eligible());
    post.fail(first);
  }
  SECTION("when the last of the others is taken") {
    post.fail(second);
    post.fail(third);
    CHECK(post.next() == 1);
  }
  CHECK_FALSE(post.mailbox.has_eligible());
  CHECK(post.mailbox.size() == 1);
  for (const CallPtr* call : {&first, &second, &third}) CHECK((*call)->use_count() == 1);
}

TEST_CASE("a mailbox lists its calls, oldest first") {
  Post post;
  post.add(post.b);
  post.add(post.a, CallState::waiting);
  post.add(nullptr, CallState::waiting);
  post.add(nullptr);
  post.add(post.a);
  std::vector<std::uint64_t> seen;
  for (const CallPtr& call : post.mailbox.all()) seen.push_back(call->seq);
  CHECK(seen == std::vector<std::uint64_t>{1, 2, 3, 4, 5});
}

TEST_CASE("lanes come and go with their calls, whatever the order") {
  Post post;
  std::vector<CallerPtr> callers;
  for (int i = 0; i < 20; ++i) callers.push_back(CallerPtr(new Caller(std::to_string(i))));
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t first = post.last + 1;
    for (const auto& caller : callers) post.add(caller);
    for (const auto& caller : callers) post.add(caller);
    for (std::uint64_t i = 0; i < 40; ++i) CHECK(post.next() == first + i);
  }
  CHECK(post.next() == 0);
}

TEST_CASE("a mailbox does not keep calls that left it, however many they are") {
  Post post;
  // One stays, so that nothing else makes room.
  post.add(post.b);
  std::vector<CallPtr> left;
  for (int i = 0; i < 1000; ++i) {
    left.push_back(post.add(i % 2 == 0 ? post.a : nullptr));
    post.fail(left.back());
  }
  std::size_t kept = 0;
  for (const CallPtr& call : left) kept += call->use_count() > 1 ? 1 : 0;
  CHECK(kept < 200);
  CHECK(post.next() == 1);
  CHECK(post.next() == 0);
}

TEST_CASE("clearing a mailbox lets go of all its calls") {
  Post post;
  const std::vector<CallPtr> calls = {post.add(post.a), post.add(post.a, CallState::waiting),
                                      post.add(post.b), post.add(nullptr),
                                      post.add(nullptr, CallState::waiting)};
  post.mailbox.clear();
  for (const CallPtr& call : calls) {
    CHECK(call->use_count() == 1);
    CHECK(call->lane == nullptr);
  }
  CHECK(post.mailbox.size() == 0);
  CHECK(post.next() == 0);
}

}  // namespace agentd::runtime
