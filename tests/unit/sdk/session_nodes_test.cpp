#include "sdk/src/session_nodes.hpp"

#include <optional>

#include <catch2/catch.hpp>

#include "tests/unit/sdk/fake_link.hpp"

namespace agentd::sdk {

TEST_CASE("a foreign outcome whose value was left out is asked for") {
  async::Loop loop;
  SessionNodes nodes(Session::instance(), loop);
  const Placeholder there{{"10.9.0.1", 1}, CallId::mint()};
  const auto link = std::make_shared<FakeLink>();
  on_loop([&] { Session::instance().node(there.node).link = link; });

  std::optional<runtime::Outcome> told;
  nodes.watch(there, std::chrono::steady_clock::now() + std::chrono::seconds(10),
              [&](runtime::Outcome outcome) { told = std::move(outcome); });
  on_loop([&] { link->subscribed.at(0).on_settled({detail::MessageData{}, true}); });
  REQUIRE(on_loop([&] { return link->requests.size(); }) == 1);
  CHECK(link->requests[0].method == "call.get");
  CHECK(link->requests[0].params["call"] == there.call.text());
  on_loop([&] { link->requests[0].on_result(std::string(R"({"state":"done","value":{"content":7}})")); });

  loop.run_once(std::chrono::seconds(10));
  REQUIRE(told);
  REQUIRE(told->has_value());
  CHECK(*(*told)->content == "7");
}

TEST_CASE("progress that cannot be opened does not reach the agent") {
  async::Loop loop;
  SessionNodes nodes(Session::instance(), loop);
  const AgentAddress there{{"10.9.0.2", 1}, "agent"};
  const auto link = std::make_shared<FakeLink>();
  on_loop([&] { Session::instance().node(there.node).link = link; });

  std::vector<std::string> pieces;
  runtime::ForeignCall call;
  call.agent = there;
  call.call = CallId::mint();
  call.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  nodes.call(
      call, [](const runtime::Outcome&) {}, [&](std::string_view piece) { pieces.emplace_back(piece); });
  on_loop([&] {
    for (const char* piece : {"1e999", "[1]"}) link->sent.at(0).on_progress(piece);
  });
  loop.run_once(std::chrono::seconds(10));
  CHECK(pieces == std::vector<std::string>{"[1]"});
  nodes.release({there.node, call.call});
  on_loop([&] { link->sent.at(0).on_settled({Error(ErrorKind::cancelled, "the test is over")}); });
}

}  // namespace agentd::sdk
