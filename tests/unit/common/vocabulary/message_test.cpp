#include <agentd/message.hpp>

#include <coroutine>
#include <functional>
#include <thread>

#include <catch2/catch.hpp>

#include "common/vocabulary/cell.hpp"

using namespace std::chrono_literals;
using agentd::Error;
using agentd::ErrorKind;
using agentd::Json;
using agentd::Message;
using agentd::detail::Cell;

namespace {

agentd::detail::MessageData data(std::string content) {
  agentd::detail::MessageData message;
  message.content = agentd::detail::SharedText(std::move(content));
  return message;
}

Json nested(unsigned depth) {
  Json json = Json::array();
  for (unsigned i = 1; i < depth; ++i) json = Json::array({std::move(json)});
  return json;
}

ErrorKind refusal(const Json& content) {
  try {
    const Message message(content);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::internal;
}

/// What making a message says of what it is made from.
std::string complaint(const std::function<void()>& make) {
  try {
    make();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_params);
    return error.message();
  }
  return "(none)";
}

/// A source whose value is there for who asks.
class LeftOut : public agentd::detail::CellSource {
public:
  explicit LeftOut(int& fetched) : fetched_(fetched) {}
  void fetch(const std::shared_ptr<Cell>& cell) override {
    ++fetched_;
    cell->supply(data("\"fetched\""));
  }

private:
  int& fetched_;
};

/// A source whose value is gone.
class Lost : public agentd::detail::CellSource {
public:
  void fetch(const std::shared_ptr<Cell>& cell) override {
    cell->supply_failure(Error(ErrorKind::call_not_found, "lost"));
  }
};

/// A coroutine that awaits one message, outside any agent.
struct Awaiting {
  struct promise_type {
    Awaiting get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

Awaiting await(Message message, std::string& seen) {
  try {
    seen = (co_await message).raw_content();
  } catch (const Error& error) {
    seen = error.message();
  }
}

}  // namespace

TEST_CASE("a message has the content it was made from") {
  CHECK(Message("hi").content() == "hi");
  CHECK(Message(7).content() == 7);
  CHECK(Message(Json{{"a", 1}}).content().at("a") == 1);
  CHECK(Message("hi").raw_content() == "\"hi\"");
  CHECK(Message("hi").ready());
}

TEST_CASE("a default message is no input, and its content is null") {
  const Message none;
  CHECK(none.empty());
  CHECK(none.ready());
  CHECK(none.content().is_null());
  CHECK(none.raw_content() == "null");
  CHECK(none.name().empty());
  CHECK(none.error() == nullptr);
  CHECK_FALSE(none.placeholder().has_value());
  CHECK_FALSE(Message(nullptr).empty());
  int called = 0;
  none.then([&](const Message& message) { called += message.empty() ? 1 : 0; });
  CHECK(called == 1);
}

TEST_CASE("a message keeps all its fields") {
  const Message message(agentd::MessageFields{{1, 2}, "n", "user", {{"k", 1}}, "id", "2026-01-01T00:00:00Z"});
  CHECK(message.content() == Json{1, 2});
  CHECK(message.name() == "n");
  CHECK(message.role() == "user");
  CHECK(message.metadata() == Json{{"k", 1}});
  CHECK(message.id() == "id");
  CHECK(message.timestamp() == "2026-01-01T00:00:00Z");
}

TEST_CASE("content nested deeper than 64 is refused, however deep it is") {
  CHECK(Message(nested(64)).ready());
  CHECK(refusal(nested(65)) == ErrorKind::invalid_params);
  CHECK(refusal(nested(5000)) == ErrorKind::invalid_params);
  agentd::MessageFields fields;
  fields.metadata = {{"deep", nested(64)}};
  CHECK_THROWS_AS(Message(fields), Error);
}

TEST_CASE("content that is no valid UTF-8 is refused") {
  CHECK(refusal("\xff") == ErrorKind::invalid_params);
  CHECK(refusal({{"\xc3", 1}}) == ErrorKind::invalid_params);
}

TEST_CASE("copies of a message are the same message") {
  const auto cell = std::make_shared<Cell>();
  const Message one(cell);
  const Message two = one;
  cell->settle(data("1"));
  CHECK(&one.content() == &two.content());
}

TEST_CASE("a join's error is its first failed part's, in the order given") {
  const auto a = std::make_shared<Cell>();
  const auto b = std::make_shared<Cell>();
  const Message all = agentd::when_all({Message(a), Message(b)});
  CHECK(all.parts().size() == 2);
  b->fail(Error(ErrorKind::agent_failed, "b"));
  CHECK_FALSE(all.ready());
  a->fail(Error(ErrorKind::agent_failed, "a"));
  REQUIRE(all.error() != nullptr);
  CHECK(all.error()->message() == "a");
  CHECK_THROWS_WITH(all.content(), "a");
}

TEST_CASE("joins nest") {
  const Message join = Message::inputs({1, Message::inputs({2, Message::inputs({})}), {}});
  CHECK(join.content() == Json::parse("[1,[2,[]],null]"));
}

TEST_CASE("joins nest as deep as content does, and no deeper") {
  Message join = 1;
  for (int depth = 0; depth < 64; ++depth) join = Message::inputs({join});
  CHECK(join.raw_content() == std::string(64, '[') + "1" + std::string(64, ']'));
  CHECK(complaint([&] { (void)Message::inputs({0, join}); }) == "joins are nested deeper than 64");
  CHECK_FALSE(agentd::when_all({0, 1}).error());
}

TEST_CASE("when_any settles as the first that settles") {
  const auto a = std::make_shared<Cell>();
  const auto b = std::make_shared<Cell>();
  const Message any = agentd::when_any({Message(a), Message(b)});
  CHECK_FALSE(any.ready());
  SECTION("with its value") {
    b->settle(data("2"));
    a->fail(Error(ErrorKind::cancelled, ""));
    CHECK(any.content() == 2);
  }
  SECTION("with its error") {
    a->fail(Error(ErrorKind::agent_failed, "a"));
    b->settle(data("2"));
    CHECK_THROWS_WITH(any.content(), "a");
  }
}

TEST_CASE("when_any of none is an error, and of a settled one is settled") {
  CHECK_THROWS_AS(agentd::when_any({}), std::invalid_argument);
  const auto late = std::make_shared<Cell>();
  CHECK(agentd::when_any({Message(late), Message(3)}).content() == 3);
  late->settle(data("4"));  // until then its callback keeps it
  CHECK(agentd::when_any({Message::inputs({1, 2})}).content() == Json{1, 2});
  CHECK(agentd::when_any({Message()}).content().is_null());
}

TEST_CASE("when_any reads only the first, and that when it is read itself") {
  int fetched = 0;
  const auto make = [&] { return std::make_shared<Cell>(std::make_unique<LeftOut>(fetched)); };
  const auto a = make(), b = make(), c = make();
  const Message any = agentd::when_any({Message(a), Message::inputs({Message(b), 1})});
  const Message never = agentd::when_any({Message(a), Message(c)});
  b->settle_elsewhere();
  a->settle_elsewhere();
  c->settle_elsewhere();
  CHECK(fetched == 0);
  CHECK(any.content() == Json{"fetched", 1});
  CHECK(fetched == 1);
}

TEST_CASE("what was left out and cannot be fetched fails when_any when it is read") {
  const auto cell = std::make_shared<Cell>(std::make_unique<Lost>());
  const Message any = agentd::when_any({Message(cell)});
  cell->settle_elsewhere();
  CHECK_THROWS_WITH(any.content(), "lost");
}

TEST_CASE("what is read of a message that goes is the reader's own") {
  const auto answer = [] {
    return Message({.content = {"a", "b"},
                    .name = "n",
                    .role = "r",
                    .metadata = {{"k", 1}},
                    .id = "i",
                    .timestamp = "t"});
  };
  std::string read;
  for (const auto& part : answer().content()) read += part.get<std::string>();
  for (const auto& member : answer().metadata()) read += member.dump();
  for (const char c : answer().raw_content()) read += c;
  for (const char c : answer().name()) read += c;
  for (const char c : answer().role()) read += c;
  for (const char c : answer().id()) read += c;
  for (const char c : answer().timestamp()) read += c;
  CHECK(read == R"(ab1["a","b"]nrit)");
}

TEST_CASE("a message's texts are UTF-8, and its metadata is an object") {
  const std::string bad = "\xff";
  CHECK(complaint([&] { (void)Message({.name = bad}); }) == "a message's name is no valid UTF-8");
  CHECK(complaint([&] { (void)Message({.role = bad}); }) == "a message's role is no valid UTF-8");
  CHECK(complaint([&] { (void)Message({.id = bad}); }) == "a message's id is no valid UTF-8");
  CHECK(complaint([&] { (void)Message({.timestamp = bad}); }) == "a message's timestamp is no valid UTF-8");
  CHECK(complaint([&] { (void)Message({.metadata = 7}); }) ==
        "a message's metadata is an object, not number");
  CHECK(complaint([&] {
          (void)Message({.metadata = {1, 2}});
        }) == "a message's metadata is an object, not array");
}

TEST_CASE("wait_for answers whether the message is there, and does not throw its error") {
  const auto cell = std::make_shared<Cell>();
  const Message message(cell);
  CHECK_FALSE(message.wait_for(0ns));
  cell->fail(Error(ErrorKind::agent_failed, "no"));
  CHECK(message.wait_for(0ns));
  CHECK(message.wait_for(std::chrono::nanoseconds::max()));
}

TEST_CASE("waiting as long as can be said is waiting, not over at once") {
  const auto cell = std::make_shared<Cell>();
  std::thread settler([cell] { cell->settle(data("1")); });
  CHECK(Message(cell).wait_for(std::chrono::nanoseconds::max()));
  settler.join();
}

TEST_CASE("then calls back once, with the message") {
  const auto cell = std::make_shared<Cell>();
  int called = 0;
  Message(cell).then([&](const Message& message) { called += message.content().get<int>(); });
  CHECK(called == 0);
  cell->settle(data("5"));
  CHECK(called == 5);
}

TEST_CASE("what a callback throws goes no further, settled or not") {
  const auto cell = std::make_shared<Cell>();
  const Message late(cell);
  int called = 0;
  const auto fails = [&](const auto&) {
    ++called;
    throw std::runtime_error("no");
  };
  late.then(fails);
  late.then([&](const Message&) {
    ++called;
    throw 42;
  });
  late.on_progress(fails);
  late.on_progress(fails);
  cell->progress(1);
  CHECK(called == 2);
  CHECK(cell->settle(data("1")));
  CHECK(called == 4);
  late.then(fails);
  Message().then(fails);
  CHECK(called == 6);
}

TEST_CASE("a coroutine outside any agent is resumed by whoever settles what it awaits") {
  std::string seen;
  auto cell = std::make_shared<Cell>();
  await(Message(cell), seen);
  CHECK(seen.empty());
  cell->settle(data("1"));
  CHECK(seen == "1");
  await(Message(cell), seen = "");
  CHECK(seen == "1");
  const auto failed = std::make_shared<Cell>();
  await(Message(failed), seen);
  failed->fail(Error(ErrorKind::agent_failed, "no"));
  CHECK(seen == "no");
}

TEST_CASE("cancelling a message that no call answers does nothing") {
  Message(1).cancel();
  Message().cancel();
  const auto cell = std::make_shared<Cell>();
  agentd::when_all({Message(cell), {}}).cancel();
  CHECK_FALSE(cell->settled());
}
