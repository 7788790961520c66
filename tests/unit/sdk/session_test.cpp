#include "sdk/src/session.hpp"

#include <future>
#include <thread>

#include <catch2/catch.hpp>

#include <agentd/client.hpp>

#include "tests/unit/sdk/fake_link.hpp"

using agentd::AgentRange;
using agentd::Error;
using agentd::ErrorKind;
using agentd::sdk::Session;
using namespace std::chrono_literals;

namespace {

using Answer = agentd::Result<std::string>;

Error late() { return {ErrorKind::deadline_exceeded, "no answer yet"}; }

/// A node that is asked to delete agents, and answers when the test says so.
struct Deleting {
  explicit Deleting(std::size_t count) {
    on_loop([this] { Session::instance().node(node).link = link; });
    deleted = std::async(std::launch::async, [this, count] { delete_agents(AgentRange(node, "a", count)); });
  }

  /// The agents that were asked for, when there are so many requests.
  std::vector<std::string> asked(std::size_t count) {
    for (int i = 0; i < 5000 && on_loop([this] { return link->requests.size(); }) < count; ++i)
      std::this_thread::sleep_for(1ms);
    return on_loop([this] {
      std::vector<std::string> ids;
      for (const auto& request : link->requests) ids.push_back(request.params["agent"]);
      return ids;
    });
  }
  void answer(std::size_t index, const Answer& how) {
    on_loop([&] { link->requests.at(index).on_result(how); });
  }

  const agentd::NodeAddress node{"10.9.9.9", 1};
  std::shared_ptr<FakeLink> link = std::make_shared<FakeLink>();
  std::future<void> deleted;
};

}  // namespace

TEST_CASE("of many agents, those whose deletion is not answered in time are deleted again") {
  Deleting node(3);
  REQUIRE(node.asked(3).size() == 3);
  node.answer(1, late());
  node.answer(0, "{}");
  node.answer(2, late());
  REQUIRE(node.asked(5) == std::vector<std::string>{"a-0", "a-1", "a-2", "a-1", "a-2"});
  node.answer(3, Error(ErrorKind::agent_not_found, "it is gone"));
  node.answer(4, "{}");
  CHECK_NOTHROW(node.deleted.get());
}

TEST_CASE("a deletion that is refused is not tried again") {
  Deleting node(1);
  REQUIRE(node.asked(1).size() == 1);
  node.answer(0, Error(ErrorKind::shutting_down, "it goes"));
  CHECK_THROWS_AS(node.deleted.get(), Error);
  CHECK(node.asked(1).size() == 1);
}
