#include "daemon/runtime/worker_pool.hpp"

#include <atomic>
#include <chrono>

#include <catch2/catch.hpp>

#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

bool eventually(const std::function<bool()>& done) {
  for (const auto limit = Clock::now() + 20s; Clock::now() < limit;) {
    if (done()) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace

TEST_CASE("a pool runs all work, at most as much at once as it has workers") {
  WorkerPool pool(2, 0);
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> ran{0};
  for (int i = 0; i < 200; ++i) {
    pool.submit([&] {
      const int now = ++running;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::yield();
      --running;
      ++ran;
    });
  }
  CHECK(eventually([&] { return ran == 200; }));
  CHECK(most <= 2);
}

TEST_CASE("a worker that waits is replaced, and the pool shrinks again when it is back") {
  WorkerPool pool(1, 10);
  Door door;
  std::atomic<int> allowed{0};
  std::atomic<int> ran{0};
  for (int i = 0; i < 5; ++i) {
    pool.submit([&] {
      if (pool.begin_wait()) ++allowed;
      door.pass();
      pool.end_wait();
      ++ran;
    });
  }
  CHECK(door.reached_by(5));
  CHECK(allowed == 5);
  CHECK(pool.waiting() == 5);
  pool.submit([&] { ++ran; });
  CHECK(eventually([&] { return ran == 1; }));
  door.open();
  CHECK(eventually([&] { return ran == 6; }));
  CHECK(pool.waiting() == 0);
}

TEST_CASE("workers that wait are bounded") {
  WorkerPool pool(1, 2);
  Door door;
  std::atomic<int> refused{0};
  const auto wait = [&] {
    if (!pool.begin_wait()) {
      ++refused;
      return;
    }
    door.pass();
    pool.end_wait();
  };
  for (int i = 0; i < 3; ++i) pool.submit(wait);
  CHECK(eventually([&] { return refused == 1; }));
  CHECK(pool.waiting() == 2);
  door.open();
}

TEST_CASE("work that comes while there are too many workers does not wait for the busy one") {
  // Three threads for two workers: one that waited is back and busy, two are idle. The one that is woken
  // may find itself superfluous; the work must reach the other.
  for (int round = 0; round < 20; ++round) {
    WorkerPool pool(2, 10);
    Door waiting;
    Door busy;
    Door both;
    std::atomic<int> allowed{0};
    std::atomic<int> ran{0};
    pool.submit([&] {
      if (pool.begin_wait()) ++allowed;
      waiting.pass();
      pool.end_wait();
      busy.pass();
    });
    REQUIRE(waiting.reached_by(1));
    REQUIRE(allowed == 1);
    for (int i = 0; i < 2; ++i) {
      pool.submit([&] {
        both.pass();
        ++ran;
      });
    }
    REQUIRE(both.reached_by(2));
    both.open();
    REQUIRE(eventually([&] { return ran == 2; }));
    waiting.open();
    REQUIRE(busy.reached_by(1));
    pool.submit([&] { ++ran; });
    CHECK(eventually([&] { return ran == 3; }));
    busy.open();
  }
}

TEST_CASE("a stopped pool drops what has not started, and takes no more") {
  WorkerPool pool(1, 0);
  Door door;
  std::atomic<int> ran{0};
  pool.submit([&] {
    door.pass();
    ++ran;
  });
  REQUIRE(door.reached_by(1));
  pool.submit([&] { ++ran; });
  CHECK_FALSE(pool.stop(Clock::now()));
  pool.submit([&] { ++ran; });
  door.open();
  CHECK(pool.stop(Clock::now() + 20s));
  CHECK(ran == 1);
}

TEST_CASE("a pool that never worked stops at once") {
  WorkerPool pool(4, 4);
  CHECK(pool.stop(Clock::time_point::min()));
}

}  // namespace agentd::runtime
