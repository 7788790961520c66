#include "daemon/logging/log.hpp"

#include <algorithm>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "daemon/logging/line.hpp"

using agentd::logging::Form;
using agentd::logging::Level;
using agentd::logging::Logger;

namespace {

const agentd::logging::WallTime start_of_time{};

std::string text(std::string_view message, Logger::Fields fields = {}) {
  return agentd::logging::text_line(start_of_time, Level::info, message, fields);
}

std::string json(std::string_view message, Logger::Fields fields = {}) {
  return agentd::logging::json_line(start_of_time, Level::info, message, fields);
}

/// What a hostile client might send.
const std::string forgery = "a\n{\"level\":\"error\"}\r\x1b[2J\x7f\xff\xc2\x9b\xe2\x80\xae\\\"";

}  // namespace

TEST_CASE("a text line has time, level, message and fields") {
  CHECK(text("ready", {{"port", 12001U}, {"host", "a b"}, {"peer", "n:1"}, {"on", true}, {"n", -1}}) ==
        R"(1970-01-01T00:00:00.000000Z info  ready port=12001 host="a b" peer=n:1 on=true n=-1)");
}

TEST_CASE("a JSON line has time, level, message and fields") {
  CHECK(
      json("ready", {{"port", 12001U}, {"host", "a b"}, {"on", false}}) ==
      R"({"time":"1970-01-01T00:00:00.000000Z","level":"info","message":"ready","port":12001,"host":"a b","on":false})");
}

TEST_CASE("what a client sends cannot forge a text line") {
  const std::string line = text(forgery, {{"from", forgery}});
  CHECK(std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7F; }));
  CHECK(line.find(R"(a\n{\"level\":\"error\"}\r\u001b[2J\u007f\xff\u009b\u202e\\\")") != std::string::npos);
}

TEST_CASE("what a client sends cannot forge a JSON line") {
  const std::string line = json(forgery, {{"from", forgery}});
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find('\x1b') == std::string::npos);
  const auto parsed = nlohmann::json::parse(line);
  CHECK(parsed["level"] == "info");
  CHECK(parsed["from"] == "a\n{\"level\":\"error\"}\r\x1b[2J\x7f\uFFFD\u009b\u202e\\\"");
  CHECK(parsed["message"] == parsed["from"]);
}

TEST_CASE("letters of any script stay as they are") {
  CHECK(text("größe 会 🙂") == "1970-01-01T00:00:00.000000Z info  größe 会 🙂");
}

TEST_CASE("a value with a quote, an equals sign or nothing in it is quoted in text") {
  CHECK(text("m", {{"k", ""}, {"a", "b=c"}, {"q", "\""}}) ==
        R"(1970-01-01T00:00:00.000000Z info  m k="" a="b=c" q="\"")");
}

TEST_CASE("bytes that are no UTF-8 are shown, never passed on") {
  for (const std::string bad : {"\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80"}) {
    const std::string line = text(bad);
    CHECK(std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7F; }));
    CHECK_NOTHROW(nlohmann::json::parse(json(bad)));
  }
}

TEST_CASE("a long value is cut, and says how long it was") {
  const std::string line = json("m", {{"v", std::string(100'000, 'x')}});
  CHECK(line.size() < 3000);
  CHECK(line.find("(100000 bytes)") != std::string::npos);
}

TEST_CASE("a cut in the middle of a character still yields valid JSON") {
  std::string value(Logger::max_value - 1, 'x');
  value += "会会";
  CHECK_NOTHROW(nlohmann::json::parse(json("m", {{"v", value}})));
}

TEST_CASE("time has microseconds") {
  using namespace std::chrono;
  const agentd::logging::WallTime time{duration_cast<system_clock::duration>(1'700'000'000s + 42us)};
  CHECK(agentd::logging::format_time(time) == "2023-11-14T22:13:20.000042Z");
}

TEST_CASE("a logger writes lines of its level and above, and the level can change") {
  std::ostringstream out;
  const Logger log = Logger::to_stream(out, Form::text, Level::warn);
  const Logger copy = log;
  log.info("hidden");
  log.warn("seen {}", {{"n", 1}});
  copy.set_level(Level::info);
  log.info("now seen");
  copy.set_level(Level::off);
  log.error("off");
  CHECK(out.str().find("hidden") == std::string::npos);
  CHECK(out.str().find("warn  seen {} n=1\n") != std::string::npos);
  CHECK(out.str().find("info  now seen\n") != std::string::npos);
  CHECK(out.str().find("off") == std::string::npos);
}

TEST_CASE("a default logger says nothing") {
  const Logger log;
  log.error("nobody hears");
  log.set_level(Level::trace);
  CHECK_FALSE(log.writes(Level::error));
}

TEST_CASE("levels have names") {
  for (const auto level : {Level::trace, Level::debug, Level::info, Level::warn, Level::error, Level::off}) {
    CHECK(agentd::logging::level_from_name(agentd::logging::level_name(level)) == level);
  }
  CHECK_FALSE(agentd::logging::level_from_name("loud"));
  CHECK_FALSE(agentd::logging::level_from_name("INFO"));
}
