#include "common/async/loops.hpp"

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "common/async/owned_count.hpp"

using agentd::async::Loops;
using agentd::async::OwnedCount;

namespace {

/// Turns each of the loops on a thread of its own until all are stopped.
class Threads {
public:
  explicit Threads(Loops& loops) {
    for (std::size_t i = 0; i < loops.count(); ++i) threads_.emplace_back([&loops, i] { loops[i].run(); });
  }
  ~Threads() {
    for (std::thread& thread : threads_) thread.join();
  }

private:
  std::vector<std::thread> threads_;
};

void stop_all(Loops& loops) {
  for (std::size_t i = 0; i < loops.count(); ++i) loops[i].stop();
}

}  // namespace

TEST_CASE("much that is handed over at once lets others have their turn, and keeps its order") {
  using namespace std::chrono_literals;
  Loops loops(2);
  std::vector<int> ran;
  for (int i = 0; i < 5; ++i) {
    loops.hand_over(0, 1, [&ran, i] {
      ran.push_back(i);
      std::this_thread::sleep_for(agentd::async::Loop::handlers_time * 2);
    });
  }
  loops[0].run_once(0ms);
  loops.hand_over(0, 1, [&ran] { ran.push_back(5); });
  loops[0].run_once(0ms);
  loops[1].run_once(0ms);
  CHECK(ran.size() < 5);
  for (int i = 0; i < 20; ++i) loops[1].run_once(0ms);
  CHECK(ran == std::vector<int>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("what loops hand to each other arrives on the other's thread, in order") {
  constexpr std::size_t count = 4;
  constexpr int each = 3000;
  Loops loops(count);
  // Of each pair: touched by the receiver's thread only.
  std::vector<std::vector<std::vector<int>>> got(count, std::vector<std::vector<int>>(count));
  std::atomic<std::size_t> left{count * count};
  for (std::size_t from = 0; from < count; ++from) {
    loops[from].post([&, from] {
      for (int i = 0; i < each; ++i) {
        for (std::size_t to = 0; to < count; ++to) {
          loops.hand_over(from, to, [&, from, to, i] {
            got[to][from].push_back(i);
            if (i + 1 == each && --left == 0) stop_all(loops);
          });
        }
      }
    });
  }
  { const Threads threads(loops); }
  for (const auto& of_one : got) {
    for (const auto& of_pair : of_one) {
      CHECK(of_pair.size() == each);
      CHECK(std::is_sorted(of_pair.begin(), of_pair.end()));
    }
  }
}

TEST_CASE("what is handed over may be something that can only be moved") {
  Loops loops(2);
  int got = 0;
  loops[0].post([&] {
    loops.hand_over(0, 1, [&, value = std::make_unique<int>(7)] {
      got = *value;
      stop_all(loops);
    });
  });
  { const Threads threads(loops); }
  CHECK(got == 7);
}

TEST_CASE("what was handed over and never taken goes with the loops") {
  const auto held = std::make_shared<int>(1);
  {
    Loops loops(2);
    loops[0].post([&] {
      loops.hand_over(0, 1, [held] {});
      loops.hand_over(0, 0, [&] { loops[0].stop(); });
    });
    loops[0].run();
    CHECK(held.use_count() == 2);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("an owned count is read by others while its owner counts") {
  OwnedCount count;
  std::thread owner([&] {
    for (int i = 0; i < 10'000; ++i) ++count;
    count -= 1'000;
  });
  CHECK(count <= 10'000);
  owner.join();
  CHECK(count == 9'000);
}
