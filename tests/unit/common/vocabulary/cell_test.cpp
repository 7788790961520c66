#include "common/vocabulary/cell.hpp"

#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

using agentd::Error;
using agentd::ErrorKind;
using agentd::Json;
using agentd::Message;
using agentd::detail::Cell;
using agentd::detail::CellSource;
using agentd::detail::MessageData;

namespace {

MessageData data(std::string content) {
  MessageData message;
  message.content = agentd::detail::SharedText(std::move(content));
  return message;
}

struct Asked {
  int fetched = 0;
  int cancelled = 0;
  bool gone = false;
};

/// A source that only notes what it is asked.
class Notes : public CellSource {
public:
  explicit Notes(Asked& asked) : asked_(asked) {}
  ~Notes() override { asked_.gone = true; }
  void fetch(const std::shared_ptr<Cell>&) override { ++asked_.fetched; }
  void cancel(const std::shared_ptr<Cell>&) override { ++asked_.cancelled; }

private:
  Asked& asked_;
};

}  // namespace

TEST_CASE("a cell settles once: the first outcome stands") {
  const auto cell = std::make_shared<Cell>();
  CHECK_FALSE(cell->settled());
  CHECK(cell->settle(data("1")));
  CHECK_FALSE(cell->settle(data("2")));
  CHECK_FALSE(cell->fail(Error(ErrorKind::cancelled, "")));
  CHECK_FALSE(cell->settle_elsewhere());
  CHECK(*cell->read().content == "1");
  CHECK(cell->error() == nullptr);
}

TEST_CASE("a failed cell throws its error at every reader") {
  const auto cell = std::make_shared<Cell>();
  CHECK(cell->fail(Error(ErrorKind::agent_failed, "no")));
  CHECK_FALSE(cell->settle(data("2")));
  REQUIRE(cell->error() != nullptr);
  CHECK_THROWS_WITH(cell->read(), "no");
  CHECK_THROWS_WITH(cell->opened_content(), "no");
}

TEST_CASE("a callback comes once, whether it was there before or not") {
  const auto cell = std::make_shared<Cell>();
  int before = 0;
  int after = 0;
  cell->when_settled([&] { ++before; });
  cell->when_readable([&] { ++before; });
  CHECK(before == 0);
  cell->settle(data("1"));
  cell->settle(data("2"));
  cell->when_settled([&] { ++after; });
  cell->when_readable([&] { ++after; });
  CHECK(before == 2);
  CHECK(after == 2);
}

TEST_CASE("a callback may use the cell that calls it") {
  const auto cell = std::make_shared<Cell>();
  std::string seen;
  cell->when_settled([&] { cell->when_settled([&] { seen = *cell->read().content; }); });
  cell->settle(data("1"));
  CHECK(seen == "1");
}

TEST_CASE("progress comes in order, until the cell settles") {
  const auto cell = std::make_shared<Cell>();
  std::vector<Json> seen;
  cell->progress(0);
  cell->when_progress([&](const Json& value) { seen.push_back(value); });
  cell->progress(1);
  cell->progress("two");
  cell->settle(data("3"));
  cell->progress(4);
  CHECK(seen == std::vector<Json>{1, "two"});
}

TEST_CASE("a value that is elsewhere is settled, not readable, and fetched when somebody wants it") {
  Asked asked;
  {
    const auto cell = std::make_shared<Cell>(std::make_unique<Notes>(asked));
    int settled = 0;
    int readable = 0;
    cell->when_settled([&] { ++settled; });
    cell->settle_elsewhere();
    CHECK(cell->settled());
    CHECK_FALSE(cell->readable());
    CHECK(settled == 1);
    CHECK(asked.fetched == 0);

    cell->when_readable([&] { ++readable; });
    cell->when_readable([&] { ++readable; });
    CHECK(asked.fetched == 1);
    CHECK(readable == 0);

    SECTION("it may come") {
      cell->supply(data("7"));
      cell->supply(data("8"));
      CHECK(cell->opened_content() == 7);
    }
    SECTION("or fail") {
      cell->supply_failure(Error(ErrorKind::call_not_found, "gone"));
      cell->supply(data("8"));
      CHECK_THROWS_WITH(cell->read(), "gone");
    }
    CHECK(readable == 2);
    CHECK(settled == 1);
  }
  CHECK(asked.gone);
}

TEST_CASE("a value that somebody waits for already is fetched as soon as it is elsewhere, once") {
  Asked asked;
  const auto cell = std::make_shared<Cell>(std::make_unique<Notes>(asked));
  cell->when_readable([] {});
  CHECK(asked.fetched == 0);
  cell->settle_elsewhere();
  cell->when_readable([] {});
  CHECK(asked.fetched == 1);
}

TEST_CASE("supplying a value that nobody said is elsewhere does nothing") {
  const auto cell = std::make_shared<Cell>();
  cell->supply(data("1"));
  CHECK_FALSE(cell->settled());
}

TEST_CASE("a join is readable when its last part is, and its content is the array of theirs") {
  const auto a = std::make_shared<Cell>();
  const auto b = std::make_shared<Cell>();
  const auto join = std::make_shared<Cell>(std::vector<Message>{Message(a), {}, Message(b)});
  int readable = 0;
  join->when_readable([&] { ++readable; });
  b->settle(data("[ 2]"));
  CHECK_FALSE(join->readable());
  CHECK(readable == 0);
  a->settle(data("1e400"));
  CHECK(join->readable());
  CHECK(readable == 1);
  CHECK(*join->read().content == "[1e400,null,[ 2]]");
}

TEST_CASE("a join of nothing is the empty array") {
  const auto join = std::make_shared<Cell>(std::vector<Message>{});
  CHECK(join->readable());
  CHECK(*join->read().content == "[]");
}

TEST_CASE("waiting has a limit, and ends when another thread settles the cell") {
  const auto cell = std::make_shared<Cell>();
  CHECK_FALSE(cell->wait_until(Cell::Clock::now()));
  std::atomic<bool> waits{false};
  std::thread reader([&] {
    waits = true;
    CHECK(*cell->read().content == "1");
  });
  while (!waits) std::this_thread::yield();
  cell->settle(data("1"));
  reader.join();
}

TEST_CASE("of many threads that settle a cell, exactly one does, and each callback comes once") {
  const auto cell = std::make_shared<Cell>();
  std::atomic<int> won{0};
  std::atomic<int> called{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      cell->when_settled([&] { ++called; });
      if (cell->settle(data(std::to_string(i)))) ++won;
      cell->when_settled([&] { ++called; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(won == 1);
  CHECK(called == 8);
}
