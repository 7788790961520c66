#include "daemon/service/supervise.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <future>
#include <memory>

#include <catch2/catch.hpp>

using namespace agentd::service;  // NOLINT(google-build-using-namespace): the room under test
using namespace std::chrono_literals;

namespace {

/// Work that runs until it is told to end, and notes what it was asked. Outlives threads that are
/// abandoned, so it is shared.
struct FakeWork {
  std::promise<void> end;
  std::atomic<bool> ended = false;
  std::atomic<int> stops = 0;
  std::atomic<int> reloads = 0;
  std::atomic<std::int64_t> first_grace_ms = -1;
  std::atomic<std::int64_t> last_grace_ms = -1;

  void finish() {
    if (!ended.exchange(true)) end.set_value();
  }
};

Work work_on(const std::shared_ptr<FakeWork>& fake, std::function<void(std::chrono::milliseconds)> on_stop) {
  Work work;
  work.run = [fake] { fake->end.get_future().wait(); };
  work.stop = [fake, on_stop = std::move(on_stop)](std::chrono::milliseconds grace) {
    if (++fake->stops == 1) fake->first_grace_ms = grace.count();
    fake->last_grace_ms = grace.count();
    on_stop(grace);
  };
  work.reload = [fake] { ++fake->reloads; };
  work.answers = [] { return true; };
  return work;
}

void send(int signal) { kill(getpid(), signal); }

}  // namespace

TEST_CASE("work that ends by itself ends the watch") {
  const Signals signals;
  const auto fake = std::make_shared<FakeWork>();
  fake->finish();
  CHECK(Supervisor(signals).watch(work_on(fake, [](auto) {}), {}) == Ending::complete);
  CHECK(fake->stops == 0);
}

TEST_CASE("SIGTERM and SIGINT stop the work within its grace period") {
  for (const int signal : {SIGTERM, SIGINT}) {
    const Signals signals;
    const auto fake = std::make_shared<FakeWork>();
    send(signal);
    CHECK(Supervisor(signals).watch(work_on(fake, [fake](auto) { fake->finish(); }),
                                    {.grace = 7s, .watchdog = {}}) == Ending::complete);
    CHECK(fake->stops == 1);
    CHECK(fake->first_grace_ms == 7000);
  }
}

TEST_CASE("a second signal stops the work at once") {
  const Signals signals;
  const auto fake = std::make_shared<FakeWork>();
  send(SIGTERM);
  const auto on_stop = [fake](std::chrono::milliseconds grace) {
    if (grace > 0ms) {
      send(SIGINT);
    } else {
      fake->finish();
    }
  };
  CHECK(Supervisor(signals).watch(work_on(fake, on_stop), {.grace = 1h, .watchdog = {}}) == Ending::complete);
  CHECK(fake->stops == 2);
  CHECK(fake->last_grace_ms == 0);
}

TEST_CASE("work that does not end is abandoned when its time is over") {
  const Signals signals;
  const auto fake = std::make_shared<FakeWork>();
  send(SIGTERM);
  CHECK(Supervisor(signals).watch(work_on(fake, [](auto) {}),
                                  {.grace = 1ms, .overtime = 1ms, .watchdog = {}}) == Ending::abandoned);
  fake->finish();
}

TEST_CASE("work that gets further is waited for beyond the overtime") {
  const Signals signals;
  const auto fake = std::make_shared<FakeWork>();
  send(SIGTERM);
  Work work = work_on(fake, [](auto) {});
  work.last_progress = [fake] {
    fake->finish();
    // Ahead, so that it does not matter how slow this machine is.
    return std::chrono::steady_clock::now() + 1h;
  };
  CHECK(Supervisor(signals).watch(work, {.grace = 1ms, .overtime = 1ms, .watchdog = {}}) == Ending::complete);
}

TEST_CASE("work that got further and hangs then is abandoned when the overtime is over from there") {
  const Signals signals;
  const auto fake = std::make_shared<FakeWork>();
  send(SIGTERM);
  Work work = work_on(fake, [](auto) {});
  const auto asked = std::make_shared<int>(0);
  work.last_progress = [asked, last = std::make_shared<std::chrono::steady_clock::time_point>()] {
    if (++*asked < 3) *last = std::chrono::steady_clock::now();
    return *last;
  };
  CHECK(Supervisor(signals).watch(work, {.grace = 1ms, .overtime = 1ms, .watchdog = {}}) ==
        Ending::abandoned);
  CHECK(*asked > 0);
  fake->finish();
}

TEST_CASE("a third signal abandons the work, whether it gets further or not") {
  const Signals signals;
  const auto fake = std::make_shared<FakeWork>();
  send(SIGTERM);
  Work work = work_on(fake, [fake](auto) { send(SIGTERM); });
  work.last_progress = [] { return std::chrono::steady_clock::now(); };
  CHECK(Supervisor(signals).watch(work, {.grace = 1h, .watchdog = {}}) == Ending::abandoned);
  CHECK(fake->stops == 2);
  fake->finish();
}

TEST_CASE("work that begins to end by itself is abandoned when its own grace and the overtime are over") {
  const Signals signals;
  const auto fake = std::make_shared<FakeWork>();
  Work work = work_on(fake, [](auto) {});
  work.watch_ending = [](const auto& ending) {
    ending(1ms);
    ending(1h);
  };
  CHECK(Supervisor(signals).watch(work, {.grace = 1h, .overtime = 1ms, .watchdog = {}}) == Ending::abandoned);
  CHECK(fake->stops == 0);
  fake->finish();
}

TEST_CASE("a signal ends sooner what has begun to end by itself") {
  const Signals signals;
  const auto fake = std::make_shared<FakeWork>();
  Work work = work_on(fake, [fake](auto) { fake->finish(); });
  work.watch_ending = [](const auto& ending) {
    ending(1h);
    send(SIGTERM);
  };
  CHECK(Supervisor(signals).watch(work, {.grace = 7s, .watchdog = {}}) == Ending::complete);
  CHECK(fake->first_grace_ms == 7000);
}

TEST_CASE("SIGHUP reloads, and the work goes on") {
  const Signals signals;
  const auto fake = std::make_shared<FakeWork>();
  send(SIGHUP);
  Work work = work_on(fake, [fake](auto) { fake->finish(); });
  work.reload = [fake] {
    ++fake->reloads;
    send(SIGTERM);
  };
  CHECK(Supervisor(signals).watch(work, {}) == Ending::complete);
  CHECK(fake->reloads == 1);
}

TEST_CASE("the watchdog asks whether the work answers") {
  const Signals signals;
  const auto fake = std::make_shared<FakeWork>();
  Work work = work_on(fake, [](auto) {});
  auto asked = std::make_shared<std::atomic<int>>(0);
  work.answers = [fake, asked] {
    if (++*asked == 3) fake->finish();
    return true;
  };
  CHECK(Supervisor(signals).watch(work, {.watchdog = 2ms}) == Ending::complete);
  CHECK(*asked >= 3);
}

TEST_CASE("work may use up the descriptors once its supervisor is made") {
  const Signals signals;
  Supervisor supervisor(signals);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  // `poll` takes no more entries than there may be descriptors.
  const rlimit none{3, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto fake = std::make_shared<FakeWork>();
  fake->finish();
  const Ending ending = supervisor.watch(work_on(fake, [](auto) {}), {});
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(ending == Ending::complete);
}
