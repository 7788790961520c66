#include "daemon/runtime/call_input.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {
namespace {

CallInput input(const std::string& text) {
  auto read = protocol::read_input(text, true);
  REQUIRE(read.has_value());
  return CallInput(*std::move(read));
}

std::string assembled(const CallInput& input) { return std::string(input.assemble().raw_content()); }

const std::string a = World::placeholder("aaaaaaaaaaaaaaaa");
const std::string b = World::placeholder("bbbbbbbbbbbbbbbb", "10.0.0.2", 7);

}  // namespace

TEST_CASE("a plain input is there at once, unopened") {
  const CallInput plain = input(R"({"content": { "x" : 1e400 }, "name": "n", "role": "user"})");
  CHECK(plain.open() == 0);
  const Message message = plain.assemble();
  CHECK(message.raw_content() == R"({ "x" : 1e400 })");
  CHECK(message.name() == "n");
  CHECK(message.role() == "user");
}

TEST_CASE("the size of what will be assembled grows with what is filled in, and is known before") {
  CallInput join = input("[" + a + R"(,{"content":{"x":)" + b + R"(}},"four"])");
  const std::size_t before = join.assembled_bytes();
  CHECK(before >= std::string(R"({"x":}"four")").size());
  join.fill(0, message_of(std::string(1000, '1')));
  CHECK(join.assembled_bytes() == before + 1000);
  join.fill(1, message_of(std::string(500, '1')));
  CHECK(join.assembled_bytes() == before + 1500);
  std::size_t real = 0;
  const Message assembled = join.assemble();
  for (const Message& part : assembled.parts()) real += part.raw_content().size();
  CHECK(join.assembled_bytes() >= real);
}

TEST_CASE("no input is no message") {
  CHECK(input("").assemble().empty());
  CHECK(input("null").assemble().empty());
}

TEST_CASE("a whole placeholder becomes the whole message") {
  CallInput whole = input(a);
  REQUIRE(whole.slots() == 1);
  CHECK(whole.open() == 1);
  CHECK(whole.source(0).placeholder->call == id_of("aaaaaaaaaaaaaaaa"));
  detail::MessageData message = message_of("[1 ]");
  message.labels = detail::Labels({.name = "A"});
  whole.fill(0, message);
  CHECK(whole.open() == 0);
  CHECK(whole.assemble().name() == "A");
  CHECK(assembled(whole) == "[1 ]");
}

TEST_CASE("a placeholder inside a content is replaced by that message's content") {
  CallInput holes = input(R"({"content":{"x":)" + a + R"(,"y":[)" + b + R"(]},"name":"n"})");
  REQUIRE(holes.slots() == 2);
  CHECK(holes.source(1).placeholder->node.text() == "10.0.0.2:7");
  holes.fill(1, message_of("1e400"));
  CHECK(holes.open() == 1);
  holes.fill(0, message_of("\"s\""));
  CHECK(assembled(holes) == R"({"x":"s","y":[1e400]})");
  CHECK(holes.assemble().name() == "n");
}

TEST_CASE("a join keeps its parts in order, an array inside it is content, and null is no input") {
  CallInput join = input("[1," + a + R"(,[2],null,{"content":3}])");
  REQUIRE(join.slots() == 1);
  join.fill(0, message_of("\"a\""));
  const Message message = join.assemble();
  CHECK(message.parts().size() == 5);
  CHECK(message.raw_content() == R"([1,"a",[2],null,3])");
  CHECK(assembled(input("[]")) == "[]");
}

TEST_CASE("a literal passes as it is") { CHECK(assembled(input(R"({"$literal":)" + a + "}")) == a); }

TEST_CASE("the same input by value has the same fingerprint") {
  CHECK(input(R"({"a":1,"b":[ 2 ]})").fingerprint() == input(R"({ "b":[2], "\u0061":1 })").fingerprint());
  CHECK(input("\"hi\"").fingerprint() == input(R"({"content":"hi"})").fingerprint());
  CHECK(input(R"({"x":)" + a + "}").fingerprint() == input(R"({ "x" : )" + a + "}").fingerprint());
  CHECK(input(a).fingerprint() == input(" " + a).fingerprint());
  CHECK(input("").fingerprint() == input("null").fingerprint());
}

TEST_CASE("other inputs have other fingerprints") {
  const std::vector<std::string> inputs = {"null",
                                           "1",
                                           "1.0",
                                           "\"1\"",
                                           "[1]",
                                           "[[1]]",
                                           "[]",
                                           "[1,2]",
                                           "[12]",
                                           a,
                                           b,
                                           "[" + a + "]",
                                           R"({"content":1,"name":"n"})",
                                           R"({"x":)" + a + "}",
                                           R"({"x":)" + b + "}",
                                           R"({"$literal":)" + a + "}"};
  for (const auto& one : inputs) {
    for (const auto& other : inputs) {
      INFO(one << " and " << other);
      CHECK((input(one).fingerprint() == input(other).fingerprint()) == (one == other));
    }
  }
}

TEST_CASE("a message of the program is taken where it has a value, and waited for where not") {
  const auto cell = std::make_shared<detail::Cell>();
  CHECK(assembled(CallInput(Message("x"))) == "\"x\"");
  CHECK(CallInput(Message()).assemble().empty());
  CHECK(assembled(CallInput(Message::inputs({}))) == "[]");
  CallInput join(Message::inputs({1, Message(cell), {}}));
  REQUIRE(join.slots() == 1);
  CHECK(join.source(0).cell == cell);
  CHECK_FALSE(join.source(0).placeholder.has_value());
  join.fill(0, message_of("2"));
  CHECK(assembled(join) == "[1,2,null]");
}

TEST_CASE("a join inside a join is one part") {
  CallInput join(Message::inputs({1, Message::inputs({2, 3})}));
  REQUIRE(join.slots() == 1);
  join.fill(0, join.source(0).cell->read());
  CHECK(assembled(join) == "[1,[2,3]]");
}

TEST_CASE("an input that was used keeps what tells it apart, and lets go of the rest") {
  const auto cell = std::make_shared<detail::Cell>();
  CallInput used{Message(cell)};
  cell->settle(message_of("1"));
  const auto text = cell->read().content;
  used.fill(0, cell->read());
  const std::string before = used.fingerprint();
  used.forget_values();
  CHECK(used.fingerprint() == before);
  CHECK(cell.use_count() == 1);
  CHECK(text.use_count() == 2);
}

}  // namespace agentd::runtime
