#include "daemon/http/frames.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "tests/unit/daemon/http/client_frames.hpp"

using namespace agentd::http;
using namespace agentd::http::test;

namespace {

using Kind = FrameEvent::Kind;

struct Seen {
  Kind kind;
  std::string payload;
  CloseCode code;
};

/// What the parser makes of `bytes`, fed in parts of `size`.
std::vector<Seen> parse(std::string bytes, std::size_t size = 1'000'000, FrameParser::Limits limits = {}) {
  FrameParser parser(limits);
  std::vector<Seen> seen;
  bytes.reserve(bytes.size() + FrameParser::padding);
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    std::span<char> input = std::span<char>(bytes).subspan(at, std::min(size, bytes.size() - at));
    for (;;) {
      const FrameEvent event = parser.next(input);
      if (event.kind == Kind::more) break;
      seen.push_back({event.kind, std::string(event.payload), event.code});
    }
    REQUIRE(input.empty());
  }
  return seen;
}

CloseCode fault_of(const std::string& bytes) {
  const auto seen = parse(bytes);
  REQUIRE(!seen.empty());
  CHECK(seen.front().kind == Kind::fault);
  return seen.front().code;
}

}  // namespace

TEST_CASE("messages of any length come out, however they are cut") {
  const std::size_t length = GENERATE(0, 1, 7, 8, 125, 126, 127, 1000, 65535, 65536, 70000);
  const std::size_t part = GENERATE(1, 3, 1000, 1'000'000);
  std::string text;
  for (std::size_t i = 0; i < length; ++i) text += static_cast<char>('a' + i % 26);
  const auto seen = parse(client_frame(text) + client_frame("next"), part);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].kind == Kind::message);
  CHECK(seen[0].payload == text);
  CHECK(seen[1].payload == "next");
}

TEST_CASE("fragments become one message, with control frames between them") {
  const std::size_t part = GENERATE(1, 2, 5, 1000);
  const auto seen =
      parse(client_frame("a", {.fin = false}) + client_frame("p", {.opcode = 9}) +
                client_frame("", {.opcode = 0, .fin = false}) + client_frame("bc", {.opcode = 0}),
            part);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].kind == Kind::ping);
  CHECK(seen[0].payload == "p");
  CHECK(seen[1].kind == Kind::message);
  CHECK(seen[1].payload == "abc");
}

TEST_CASE("what is against the protocol is told as such") {
  CHECK(fault_of(client_frame("a", {.masked = false})) == CloseCode::protocol_error);
  CHECK(fault_of(client_frame("a", {.reserved = 4})) == CloseCode::protocol_error);
  CHECK(fault_of(client_frame("a", {.reserved = 1})) == CloseCode::protocol_error);
  CHECK(fault_of(client_frame("a", {.opcode = 3})) == CloseCode::protocol_error);
  CHECK(fault_of(client_frame("a", {.opcode = 11})) == CloseCode::protocol_error);
  CHECK(fault_of(client_frame("a", {.opcode = 0})) == CloseCode::protocol_error);
  CHECK(fault_of(client_frame("a", {.fin = false}) + client_frame("b")) == CloseCode::protocol_error);
  CHECK(fault_of(client_frame("a", {.opcode = 9, .fin = false})) == CloseCode::protocol_error);
  CHECK(fault_of(client_frame(std::string(126, 'a'), {.opcode = 9})) == CloseCode::protocol_error);
  CHECK(fault_of(std::string("\x81\xfe\x00\x05mask", 8)) == CloseCode::protocol_error);
  CHECK(fault_of(std::string("\x81\xff\x00\x00\x00\x00\x00\x00\x00\x05mask", 14)) ==
        CloseCode::protocol_error);
  CHECK(fault_of(std::string("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00mask", 14)) ==
        CloseCode::protocol_error);
}

TEST_CASE("binary frames, broken text, long messages and many fragments have codes of their own") {
  CHECK(fault_of(client_frame("a", {.opcode = 2})) == CloseCode::unsupported_data);
  CHECK(fault_of(client_frame("\xff")) == CloseCode::invalid_text);
  CHECK(fault_of(client_frame("\xc3", {.fin = false}) + client_frame("(", {.opcode = 0})) ==
        CloseCode::invalid_text);
  CHECK(fault_of(client_frame(std::string((1U << 20) + 1, 'a'))) == CloseCode::too_big);
  std::string fragments = client_frame("a", {.fin = false});
  for (int i = 0; i < 1000; ++i) fragments += client_frame("", {.opcode = 0, .fin = false});
  CHECK(fault_of(fragments) == CloseCode::policy);
}

TEST_CASE("a character that is cut by a fragment is whole in the message") {
  const auto seen = parse(client_frame("\xc3", {.fin = false}) + client_frame("\xa4", {.opcode = 0}));
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].payload == "\xc3\xa4");
}

TEST_CASE("the length of a message counts over its fragments, and the announced length suffices") {
  const FrameParser::Limits limits{.message = 4};
  CHECK(parse(client_frame("1234"), 100, limits)[0].kind == Kind::message);
  CHECK(parse(client_frame("123", {.fin = false}) + client_frame("45", {.opcode = 0}), 100, limits)[0].code ==
        CloseCode::too_big);
  CHECK(parse(client_frame("12345").substr(0, 6), 100, limits)[0].code == CloseCode::too_big);
}

TEST_CASE("after a fault only a close is still heard, and nothing where the frames are lost") {
  const std::string close = client_frame(close_text(1000), {.opcode = 8});
  const auto seen = parse(client_frame("ab", {.opcode = 2, .fin = false}) + client_frame("c", {.opcode = 0}) +
                              client_frame("text") + close,
                          GENERATE(1, 1000));
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].code == CloseCode::unsupported_data);
  CHECK(seen[1].kind == Kind::close);
  CHECK(parse(client_frame("a", {.masked = false}) + close).size() == 1);
}

TEST_CASE("a close brings its code, or says that there is none") {
  CHECK(parse(client_frame(close_text(1000, "bye"), {.opcode = 8}))[0].code == CloseCode::normal);
  CHECK(parse(client_frame("", {.opcode = 8}))[0].code == CloseCode::no_status);
  CHECK(parse(client_frame(close_text(4999), {.opcode = 8}))[0].kind == Kind::close);
  for (const unsigned code : {0U, 999U, 1004U, 1005U, 1006U, 1015U, 2999U, 5000U}) {
    CHECK(fault_of(client_frame(close_text(code), {.opcode = 8})) == CloseCode::protocol_error);
  }
  CHECK(fault_of(client_frame("\x03", {.opcode = 8})) == CloseCode::protocol_error);
  CHECK(fault_of(client_frame(close_text(1000, "\xff"), {.opcode = 8})) == CloseCode::invalid_text);
}

TEST_CASE("the server's frame headers have the shortest length") {
  CHECK(frame_header(Opcode::text, 125) == "\x81\x7d");
  CHECK(frame_header(Opcode::text, 126) == std::string("\x81\x7e\x00\x7e", 4));
  CHECK(frame_header(Opcode::text, 65535) == "\x81\x7e\xff\xff");
  CHECK(frame_header(Opcode::text, 65536) == std::string("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
  CHECK(frame_header(Opcode::close, 0) == std::string("\x88\x00", 2));
}
