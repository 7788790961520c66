#include "sdk/src/loop_driver.hpp"

#include <future>
#include <stdexcept>
#include <thread>

#include <catch2/catch.hpp>

#include <agentd/message.hpp>

namespace agentd::sdk {
namespace {

using namespace std::chrono_literals;
using detail::Cell;

std::shared_ptr<Cell> pending() { return std::make_shared<Cell>(); }

void settle(const std::shared_ptr<Cell>& cell) { cell->settle({}); }

/// A loop with a driver whose own thread runs as long as the process: it is never destroyed.
struct Driven {
  async::Loop loop;
  LoopDriver driver{loop};
  static Driven& start() {
    Driven& driven = *new Driven;
    driven.driver.start();
    return driven;
  }
};

}  // namespace

TEST_CASE("a thread that waits turns the loop itself") {
  // No other thread is there that could.
  async::Loop loop;
  LoopDriver driver(loop);
  const auto cell = pending();
  bool on_loop = false;
  loop.post([&] {
    on_loop = driver.on_loop();
    settle(cell);
  });
  driver.wait(*cell, std::nullopt);
  CHECK(cell->readable());
  CHECK(on_loop);
  CHECK_FALSE(driver.on_loop());
}

TEST_CASE("a wait for the loop ends at its limit") {
  async::Loop loop;
  LoopDriver driver(loop);
  const auto cell = pending();
  driver.wait(*cell, std::chrono::steady_clock::now() + 5ms);
  CHECK_FALSE(cell->readable());
}

TEST_CASE("a callback on a thread that waits may not wait itself") {
  async::Loop loop;
  LoopDriver driver(loop);
  const auto cell = pending();
  const Message other(pending());
  bool refused = false;
  loop.post([&] {
    try {
      (void)other.content();
    } catch (const std::logic_error&) {
      refused = true;
    }
    settle(cell);
  });
  driver.wait(*cell, std::nullopt);
  CHECK(refused);
}

TEST_CASE("the loop's own thread goes on when nobody waits any more") {
  Driven& driven = Driven::start();
  for (int round = 0; round < 50; ++round) {
    const auto cell = pending();
    driven.loop.post([&] { settle(cell); });
    driven.driver.wait(*cell, std::nullopt);
    REQUIRE(cell->readable());
    std::promise<bool> ran;
    driven.loop.post([&] { ran.set_value(driven.driver.on_loop()); });
    if (round % 2 == 0) driven.driver.take_back();
    REQUIRE(ran.get_future().get());
  }
}

TEST_CASE("the loop goes on for a thread that only polls") {
  // No other thread is there that could turn it.
  async::Loop loop;
  LoopDriver driver(loop);
  const auto cell = pending();
  loop.post([&] { settle(cell); });
  driver.wait(*cell, std::chrono::steady_clock::now() - 1s);
  CHECK(cell->readable());
}

TEST_CASE("threads that wait at once all get what they wait for") {
  Driven& driven = Driven::start();
  constexpr int rounds = 300;
  const auto ask = [&] {
    for (int round = 0; round < rounds; ++round) {
      const auto cell = pending();
      driven.loop.post([cell] { settle(cell); });
      driven.driver.posted();
      driven.driver.wait(*cell, std::nullopt);
      if (!cell->readable()) return false;
    }
    return true;
  };
  auto first = std::async(std::launch::async, ask);
  auto second = std::async(std::launch::async, ask);
  auto third = std::async(std::launch::async, ask);
  CHECK(first.get());
  CHECK(second.get());
  CHECK(third.get());
}

}  // namespace agentd::sdk
