#include <thread>

#include <catch2/catch.hpp>

#include <agentd/client.hpp>

#include "common/vocabulary/cell.hpp"

using agentd::Error;
using agentd::ErrorKind;
using agentd::Message;
using agentd::Task;
using agentd::detail::Cell;

namespace {

Message pending() { return Message(std::make_shared<Cell>()); }

Task<Message> twice(Message x) {
  const Message value = co_await x;
  co_return Message(2 * value.content().get<int>());
}

Task<Message> on_this_thread(Message x, std::thread::id& after) {
  co_await x;
  after = std::this_thread::get_id();
  co_return x;
}

}  // namespace

TEST_CASE("sync_wait answers what the coroutine answers") {
  CHECK(agentd::sync_wait(twice(21)).content() == 42);
}

TEST_CASE("a coroutine goes on on the thread that waits for it") {
  const Message late = pending();
  std::thread settles([&] { late.cell()->settle({agentd::detail::SharedText("3"), {}, {}}); });
  std::thread::id after;
  CHECK(agentd::sync_wait(on_this_thread(late, after)).content() == 3);
  CHECK(after == std::this_thread::get_id());
  settles.join();
}

TEST_CASE("sync_wait throws what the coroutine throws") {
  const Message failed = pending();
  failed.cell()->fail(Error(ErrorKind::agent_failed, "no"));
  CHECK_THROWS_AS(agentd::sync_wait(twice(failed)), Error);
}
