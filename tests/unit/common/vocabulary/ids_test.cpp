#include <agentd/ids.hpp>

#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

using agentd::AgentAddress;
using agentd::CallId;
using agentd::NodeAddress;

namespace {

std::string round_trip(const std::string& text) {
  const auto address = NodeAddress::parse(text);
  return address ? address->text() : "(none)";
}

std::uint64_t milliseconds_of(std::string_view ulid) {
  static constexpr std::string_view digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::uint64_t time = 0;
  for (const char c : ulid.substr(0, 10)) time = time * 32 + digits.find(c);
  return time;
}

std::uint64_t wall_milliseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

TEST_CASE("a minted call id is a ULID of now") {
  const auto before = wall_milliseconds();
  const CallId id = CallId::mint();
  const auto after = wall_milliseconds();
  CHECK(id.text().size() == 26);
  CHECK(id.text().find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ") == std::string_view::npos);
  // Of the clock that moves with the kernel's tick, of which the slowest has 10 ms.
  CHECK(milliseconds_of(id.text()) + 10 >= before);
  CHECK(milliseconds_of(id.text()) <= after);
  CHECK(CallId::parse(id.text()) == id);
}

TEST_CASE("a call id can be minted at any home, and says it") {
  for (agentd::Home home = 0; home < agentd::homes; ++home) {
    const CallId id = CallId::mint_at(home);
    CHECK(id.home() == home);
    CHECK(CallId::parse(id.text())->home() == home);
  }
  CHECK(CallId::mint_at(5).text() != CallId::mint_at(5).text());
}

TEST_CASE("any call id has a home, told by its last two characters") {
  const auto home = [](const char* text) { return CallId::parse(text)->home(); };
  CHECK(home("aaaaaaaaaaaaaa01") == 1);
  CHECK(home("aaaaaaaaaaaaaa10") == 32);
  CHECK(home("bbbbbbbbbbbbbbbbbb10") == 32);
  CHECK(home("aaaaaaaaaaaaaaZZ") == agentd::homes - 1);
  CHECK(home("aaaaaaaaaaaaaa_-") < agentd::homes);
}

TEST_CASE("names have homes that are the same everywhere, and spread") {
  CHECK(agentd::home_of("echo") == agentd::home_of(std::string("echo")));
  std::vector<int> at(4);
  for (int i = 0; i < 4000; ++i) ++at[agentd::home_of("agent-" + std::to_string(i)) * 4 / agentd::homes];
  for (const int count : at) CHECK((count > 800 && count < 1200));
}

TEST_CASE("minted call ids differ, whichever thread mints them") {
  constexpr std::size_t each = 2000;
  std::vector<std::vector<std::string>> minted(3);
  std::vector<std::thread> threads;
  for (auto& ids : minted) {
    threads.emplace_back([&ids] {
      for (std::size_t i = 0; i < each; ++i) ids.emplace_back(CallId::mint().text());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& ids : minted) all.insert(ids.begin(), ids.end());
  CHECK(all.size() == minted.size() * each);
}

TEST_CASE("a call id has 16 to 64 characters of a small alphabet") {
  CHECK(CallId::parse(std::string(16, 'a')).has_value());
  CHECK(CallId::parse(std::string(64, '-')).has_value());
  CHECK(CallId::parse("abcXYZ019_-abcdefgh").has_value());
  CHECK_FALSE(CallId::parse(std::string(15, 'a')).has_value());
  CHECK_FALSE(CallId::parse(std::string(65, 'a')).has_value());
  CHECK_FALSE(CallId::parse("").has_value());
  for (const char* wrong : {"aaaaaaaaaaaaaaaa ", "aaaaaaaaaaaaaaaa.", "aaaaaaaaaaaaaaa/a",
                            "\xc3\xa9"
                            "aaaaaaaaaaaaaaaa"}) {
    CHECK_FALSE(CallId::parse(wrong).has_value());
  }
  CHECK_FALSE(CallId::parse(std::string_view("aaaaaaaaaaaaaaaa\0", 17)).has_value());
  CHECK(CallId().empty());
}

TEST_CASE("each byte of a call id is looked at, wherever it stands") {
  constexpr std::string_view good = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
  for (const std::size_t length : {16U, 17U, 26U, 32U, 33U, 64U}) {
    for (std::size_t at = 0; at < length; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(length, 'x');
        text[at] = static_cast<char>(byte);
        const bool is_good = good.find(text[at]) != std::string_view::npos;
        if (CallId::parse(text).has_value() != is_good) FAIL_CHECK(length << ", " << at << ", " << byte);
      }
    }
  }
}

TEST_CASE("call ids are equal by their text") {
  const auto a = CallId::parse("aaaaaaaaaaaaaaaa");
  CHECK(a == CallId::parse("aaaaaaaaaaaaaaaa"));
  CHECK(a != CallId::parse("aaaaaaaaaaaaaaaaa"));
  CHECK(std::hash<CallId>{}(*a) == std::hash<CallId>{}(*CallId::parse("aaaaaaaaaaaaaaaa")));
}

TEST_CASE("a node's address reads what it writes") {
  CHECK(round_trip("127.0.0.1:12001") == "127.0.0.1:12001");
  CHECK(round_trip("name.example.org:1") == "name.example.org:1");
  CHECK(round_trip("[::1]:65535") == "[::1]:65535");
  CHECK(round_trip("[fe80::1%eth0]:80") == "[fe80::1%eth0]:80");
  CHECK(NodeAddress::parse("[::1]:80") == NodeAddress{"::1", 80});
  CHECK(NodeAddress{"::1", 80}.text() == "[::1]:80");
}

TEST_CASE("a malformed node address is none") {
  for (const char* wrong :
       {"", ":", "host", "host:", ":80", "host:0", "host:65536", "host:-1", "host:+1", "host:8 0", "host:80x",
        "::1:80", "[]:80", "[::1:80", "[::1]80", "[::1]", "host:99999999999"}) {
    INFO(wrong);
    CHECK_FALSE(NodeAddress::parse(wrong).has_value());
  }
}

TEST_CASE("an agent's address is its node's and its id") {
  CHECK(AgentAddress{{"::1", 80}, "a"}.text() == "[::1]:80/a");
  CHECK(NodeAddress().text().empty());
  CHECK(AgentAddress{{}, "a"}.text() == "/a");
}

TEST_CASE("agent ids and caller ids have their alphabets and lengths") {
  CHECK(agentd::is_agent_id("a.B_9-"));
  CHECK(agentd::is_agent_id(std::string(128, 'a')));
  CHECK_FALSE(agentd::is_agent_id(std::string(129, 'a')));
  CHECK_FALSE(agentd::is_agent_id(""));
  CHECK_FALSE(agentd::is_agent_id("a/b"));
  CHECK_FALSE(agentd::is_agent_id("a b"));
  CHECK(agentd::is_caller_id("host:1/agent-0"));
  CHECK(agentd::is_caller_id(std::string(160, 'a')));
  CHECK_FALSE(agentd::is_caller_id(std::string(161, 'a')));
  CHECK_FALSE(agentd::is_caller_id(""));
  CHECK_FALSE(agentd::is_caller_id("a\nb"));
}

TEST_CASE("a random suffix has the length asked for, and is an agent id") {
  CHECK(agentd::random_suffix(0).empty());
  CHECK(agentd::random_suffix(8).size() == 8);
  CHECK(agentd::is_agent_id(agentd::random_suffix(20)));
  CHECK(agentd::random_suffix(20) != agentd::random_suffix(20));
}

TEST_CASE("a call id's hash depends on all of it") {
  for (const std::size_t length : {16U, 17U, 26U, 31U, 32U, 33U, 48U, 63U, 64U}) {
    const std::string text(length, 'x');
    const auto id = *agentd::CallId::parse(text);
    CHECK(id.hash() == agentd::CallId::parse(text)->hash());
    for (std::size_t i = 0; i < length; ++i) {
      std::string other = text;
      other[i] = 'y';
      if (agentd::CallId::parse(other)->hash() == id.hash()) FAIL_CHECK(length << ", " << i);
    }
    if (length > 16) CHECK(agentd::CallId::parse(text.substr(1))->hash() != id.hash());
  }
}
