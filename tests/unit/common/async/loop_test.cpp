#include "common/async/loop.hpp"

#include <thread>
#include <vector>

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using agentd::async::Loop;
using agentd::async::Timer;

TEST_CASE("what is posted runs in the order posted, on the loop's thread") {
  Loop loop;
  std::vector<int> ran;
  std::thread::id thread;
  std::thread poster([&] {
    for (int i = 0; i < 100; ++i) loop.post([&ran, i] { ran.push_back(i); });
    loop.post([&] {
      thread = std::this_thread::get_id();
      loop.stop();
    });
  });
  loop.run();
  poster.join();
  CHECK(thread == std::this_thread::get_id());
  REQUIRE(ran.size() == 100);
  CHECK(std::is_sorted(ran.begin(), ran.end()));
}

TEST_CASE("nothing that many threads post is lost, and each thread's order is kept") {
  Loop loop;
  constexpr int each = 2000;
  std::vector<std::vector<int>> ran(3);
  int left = 3;
  std::vector<std::thread> threads;
  for (auto& mine : ran) {
    threads.emplace_back([&] {
      for (int i = 0; i < each; ++i) loop.post([&mine, i] { mine.push_back(i); });
      loop.post([&] {
        if (--left == 0) loop.stop();
      });
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  for (const auto& mine : ran) {
    CHECK(mine.size() == each);
    CHECK(std::is_sorted(mine.begin(), mine.end()));
  }
}

TEST_CASE("a handler that takes long ends its turn, though others are ready") {
  Loop loop;
  std::vector<std::string> order;
  boost::asio::post(loop.context(), [&] {
    order.emplace_back("long");
    loop.at_turn_end([&] { order.emplace_back("turn's end"); });
    for (const auto until = Loop::Clock::now() + 1ms; Loop::Clock::now() < until;) {
    }
  });
  boost::asio::post(loop.context(), [&] {
    order.emplace_back("next");
    loop.stop();
  });
  loop.run();
  CHECK(order == std::vector<std::string>{"long", "turn's end", "next"});
}

TEST_CASE("a turn runs handlers, then due timers, then what asked for the turn's end") {
  Loop loop;
  std::vector<std::string> order;
  struct Due : Timer {
    std::vector<std::string>* order = nullptr;
  } timer;
  timer.order = &order;
  loop.start(timer, Loop::Clock::now() - 1s,
             [](Timer& due) { static_cast<Due&>(due).order->push_back("timer"); });
  loop.at_turn_end([&] {
    order.push_back("end");
    loop.at_turn_end([&] { order.push_back("end again"); });
  });
  loop.post([&] { order.push_back("handler"); });
  const auto until = Loop::Clock::now() + 10s;
  // The timer is due on the tick after it was started.
  for (const auto later = Loop::Clock::now() + 2ms; Loop::Clock::now() < later;) std::this_thread::yield();
  while (order.size() < 4 && Loop::Clock::now() < until) loop.run_once(1ms);
  CHECK(order == std::vector<std::string>{"handler", "timer", "end", "end again"});
}

TEST_CASE("what the turn's end asks for runs in the same turn") {
  Loop loop;
  int depth = 0;
  std::function<void()> again = [&] {
    if (++depth < 50) loop.at_turn_end(again);
  };
  loop.at_turn_end(again);
  loop.run_once(0ms);
  CHECK(depth == 50);
}

TEST_CASE("a turn waits for a timer no longer than it must") {
  Loop loop;
  struct Flag : Timer {
    bool fired = false;
  } timer;
  loop.start(timer, Loop::Clock::now() + 5ms, [](Timer& due) { static_cast<Flag&>(due).fired = true; });
  const auto until = Loop::Clock::now() + 10s;
  while (!timer.fired && Loop::Clock::now() < until) loop.run_once(10s);
  CHECK(timer.fired);
}

TEST_CASE("a stop that comes before run is not lost") {
  Loop loop;
  loop.stop();
  loop.run();
  int ran = 0;
  loop.post([&] {
    ++ran;
    loop.stop();
  });
  loop.run();
  CHECK(ran == 1);
}

TEST_CASE("busy handlers do not keep the turn's end away") {
  Loop loop;
  bool end = false;
  int handlers = 0;
  std::function<void()> busy = [&] {
    if (++handlers < 100'000 && !end) boost::asio::post(loop.context(), busy);
  };
  boost::asio::post(loop.context(), busy);
  loop.at_turn_end([&] { end = true; });
  loop.run_once(0ms);
  CHECK(end);
  CHECK(handlers < 1000);
}

TEST_CASE("a loop spins before it blocks while that is wanted, and not otherwise") {
  Loop loop;
  int asked = 0;
  bool wanted = true;
  loop.spin(200us, [&] {
    ++asked;
    return wanted;
  });
  loop.run_once(0ms);
  CHECK(asked == 1);
  loop.post([] {});
  loop.run_once(0ms);
  CHECK(asked == 1);
  wanted = false;
  loop.run_once(0ms);
  CHECK(asked == 2);
}

TEST_CASE("what is posted in great number runs in order, over several turns") {
  Loop loop;
  constexpr int count = 1000;
  std::vector<int> ran;
  for (int i = 0; i < count; ++i) {
    loop.post([&, i] {
      ran.push_back(i);
      for (const auto until = Loop::Clock::now() + 2us; Loop::Clock::now() < until;) {
      }
      // Posted in between: behind all that was there.
      if (i == 10) loop.post([&] { ran.push_back(count); });
    });
  }
  loop.run_once(0ms);
  CHECK(ran.size() < count);
  const auto until = Loop::Clock::now() + 60s;
  while (ran.size() <= count && Loop::Clock::now() < until) loop.run_once(0ms);
  REQUIRE(ran.size() == count + 1);
  CHECK(std::is_sorted(ran.begin(), ran.end()));
}

TEST_CASE("many timers that are due at once fire over several turns") {
  Loop loop;
  struct Counting : Timer {
    int* fired = nullptr;
  };
  constexpr int count = 5000;
  int fired = 0;
  std::vector<Counting> timers(count);
  for (Counting& timer : timers) {
    timer.fired = &fired;
    loop.start(timer, Loop::Clock::now() - 1s, [](Timer& due) { ++*static_cast<Counting&>(due).fired; });
  }
  for (const auto later = Loop::Clock::now() + 5ms; Loop::Clock::now() < later;) std::this_thread::yield();
  loop.run_once(0ms);
  CHECK(fired > 0);
  CHECK(fired < count);
  const auto until = Loop::Clock::now() + 60s;
  while (fired < count && Loop::Clock::now() < until) loop.run_once(60s);
  CHECK(fired == count);
}

TEST_CASE("a loop knows how long its turns ran, and leaves out what it waited") {
  Loop loop;
  loop.run_once(500ms);
  CHECK(loop.turn_times().sum() < 500ms);
  const auto waited = loop.turn_times().sum();
  loop.post([&] {
    for (const auto until = Loop::Clock::now() + 20ms; Loop::Clock::now() < until;) {
    }
  });
  loop.run_once(0ms);
  CHECK(loop.turn_times().sum() - waited >= 20ms);
  // One that ends a wait counts too, from when it began.
  std::thread later([&] {
    std::this_thread::sleep_for(20ms);
    loop.post([&] {
      for (const auto until = Loop::Clock::now() + 20ms; Loop::Clock::now() < until;) {
      }
    });
  });
  const auto before = loop.turn_times().sum();
  loop.run_once(60s);
  later.join();
  CHECK(loop.turn_times().sum() - before >= 20ms);
  const auto& counts = loop.turn_times().counts;
  CHECK(counts[3] + counts[4] + counts[5] + counts[6] + counts[7] >= 2);
}
