#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <set>

#include <unistd.h>
#include <catch2/catch.hpp>

#include "sdk/src/lost_node.hpp"
#include "sdk/src/session.hpp"
#include "tests/integration/sdk/agents.hpp"
#include "tests/integration/support/process.hpp"

using agentd::AgentRef;
using agentd::Error;
using agentd::ErrorKind;
using agentd::Json;
using agentd::Message;
using namespace std::chrono_literals;

namespace {

const std::string token = "0123456789abcdef0123456789abcdef";

/// Makes an agent of the server that its input names, from inside, and calls it.
class Recruiter : public agentd::Agent {
public:
  Message reply(const Message& port) override {
    return agentd::remote("echo", {.port = port.content().get<std::uint16_t>()})("recruited").content();
  }
};

/// Launches a server for another agent.
class Launching : public agentd::Agent {
public:
  Message reply(const Message&) override { return agentd::make<Notebook>().to_dist().id(); }
};

/// Cannot be saved.
class Rooted : public agentd::Agent {
public:
  Message reply(const Message& x) override { return x; }
  Json save() const override { throw std::runtime_error("it stays"); }
};

/// Leaves a callback that throws.
class Careless : public agentd::Agent {
public:
  explicit Careless(const Json& args) : to_(args.at("to")) {}
  Message reply(const Message& x) override {
    const Message answer = to_(x);
    answer.then([](const Message&) { throw std::runtime_error("nobody cares"); });
    return answer;
  }

private:
  AgentRef to_;
};

/// How `to_dist` refuses to go there.
ErrorKind refusal(const AgentRef& agent, const agentd::DistOptions& options) {
  try {
    (void)agent.to_dist(options);
  } catch (const Error& error) {
    return error.kind();
  }
  FAIL("it was moved");
  return ErrorKind::internal;
}

ErrorKind kind_of(const Message& failed) {
  REQUIRE(failed.error());
  return failed.error()->kind();
}

/// The processes that this one has started, by whichever thread, and not buried.
std::multiset<pid_t> children() {
  std::multiset<pid_t> all;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream list(thread.path() / "children");
    for (pid_t child = 0; list >> child;) all.insert(child);
  }
  return all;
}

/// Launches a server at that port, and answers an agent of it when it has ended.
AgentRef agent_of_ended_server(std::uint16_t port) {
  const AgentRef agent = agentd::make<Notebook>().to_dist({.port = port, .id = "notebook"});
  CHECK(kind_of(agent.call("vanish")) == ErrorKind::agent_crashed);
  return agent;
}

}  // namespace

AGENTD_REGISTER_AGENT(Recruiter);
AGENTD_REGISTER_AGENT(Launching);
AGENTD_REGISTER_AGENT(Careless);
AGENTD_REGISTER_AGENT(Rooted);

TEST_CASE("to_dist starts this program again and moves the agent there") {
  const AgentRef here = agentd::make<Notebook>({{"name", "N"}});
  CHECK(here.call("pid").content() == getpid());
  CHECK(here("one").content()["n"] == 1);
  const AgentRef there = here.to_dist();
  CHECK(there.call("pid").content() != getpid());
  CHECK(there("two").content() == Json{{"by", "N"}, {"n", 2}, {"heard", "two"}});
  // It is the same agent still, whoever refers to it.
  CHECK(here("three").content()["n"] == 3);
}

TEST_CASE("an agent that was not used is made over there only") {
  const AgentRef there = agentd::make<Notebook>().to_dist();
  CHECK(there("first").content()["n"] == 1);
}

TEST_CASE("agents may share a launched server, and launched servers reach each other") {
  const AgentRef first = agentd::make<Notebook>().to_dist();
  const AgentRef second = agentd::make<Notebook>().to_dist({.share = first.address().node});
  const AgentRef apart = agentd::make<Notebook>().to_dist();
  CHECK(second.call("pid").content() == first.call("pid").content());
  CHECK(apart.call("pid").content() != first.call("pid").content());
  CHECK(apart(second(first("x"))).content()["heard"]["heard"]["heard"] == "x");
  const AgentRef relay = agentd::make<Relay>({{"to", first}}).to_dist();
  CHECK(relay("y").content()["heard"] == "y");
}

TEST_CASE("a launched server reaches any node that its program uses") {
  const Server server;
  const AgentRef launched = agentd::make<Notebook>().to_dist();
  CHECK(launched(server.make("echo")("from there")).content()["heard"] == "from there");
  CHECK(server.make("echo")(launched("back")).content()["heard"] == "back");
}

TEST_CASE("launched servers show the program's tokens, those that are set later too") {
  const auto launch = [] { return agentd::make<Notebook>().to_dist(); };
  agentd::AgentServer guarded{{.type = "Notebook", .id = "guarded", .port = 0, .token = token}};
  guarded.launch();
  const AgentRef before = launch();
  agentd::set_token({.port = guarded.port()}, token);
  const AgentRef notebook = agentd::attach("guarded", {.port = guarded.port()});
  for (const AgentRef& launched : {before, launch()}) {
    const auto beside = [&](const AgentRef& agent) {
      return agent.to_dist({.share = launched.address().node});
    };
    CHECK(launched(notebook("placeholder")).content()["heard"]["heard"] == "placeholder");
    CHECK(beside(agentd::make<Relay>({{"to", notebook}}))("reference").content()["heard"] == "reference");
    CHECK(beside(agentd::make<Recruiter>())(guarded.port()).content() == "recruited");
  }
}

TEST_CASE("a launched server is not told a token by its arguments or its environment") {
  agentd::set_token({.host = "127.0.0.1", .port = 1}, token);
  const AgentRef launched = agentd::make<Notebook>().to_dist();
  const std::string process = "/proc/" + launched.call("pid").content().dump();
  for (const char* file : {"/cmdline", "/environ"}) {
    std::ifstream said(process + file);
    REQUIRE(said);
    CHECK(std::string(std::istreambuf_iterator<char>(said), {}).find(token) == std::string::npos);
  }
}

TEST_CASE("what a callback throws does not end a launched server") {
  const Server server;
  const AgentRef careless = agentd::make<Careless>({{"to", server.make("echo")}}).to_dist();
  const AgentRef beside = agentd::make<Notebook>().to_dist({.share = careless.address().node});
  CHECK(careless("x").content() == "x");
  CHECK(careless("y").content() == "y");
  CHECK(beside("z").content()["n"] == 1);
}

TEST_CASE("a launched server launches none, and says so") {
  const Message launched = agentd::make<Launching>().to_dist()(0);
  REQUIRE(launched.error());
  CHECK(launched.error()->root().message().find("launches none itself") != std::string::npos);
}

TEST_CASE("to_dist to no place at all is refused at once, and the agent stays") {
  const AgentRef agent = agentd::make<Notebook>();
  const auto wrong = [&](const agentd::DistOptions& options) {
    return refusal(agent, options) == ErrorKind::invalid_params;
  };
  CHECK(wrong({.host = "10.9.9.9"}));
  CHECK(wrong({.host = "10.9.9.9", .port = 1}));
  CHECK(wrong({.launch_server = false}));
  CHECK(wrong({.port = 0, .launch_server = false}));
  CHECK(wrong({.host = "", .port = 1, .launch_server = false}));
  CHECK(wrong({.share = agentd::NodeAddress{}}));
  CHECK(wrong({.id = "no such id!"}));
  CHECK(agent("here").content()["n"] == 1);
}

TEST_CASE("a port that is taken is no port for a launched server, and that is what it says") {
  const Server server;
  CHECK(refusal(agentd::make<Notebook>(), {.port = server.at().port}) == ErrorKind::conflict);
}

TEST_CASE("a program with two types of one name is told so when it launches a server") {
  OtherProcess program({"--twins"});
  const std::string said = program.line();
  CHECK_THAT(said, Catch::StartsWith("conflict: "));
  CHECK_THAT(said, Catch::Contains("two agent types are named \"Notebook\""));
}

TEST_CASE("to_dist does not move an agent onto another one") {
  const Server server;
  const agentd::RemoteOptions there{.port = server.at().port, .id = "taken"};
  const AgentRef other = agentd::remote("Notebook", there);
  const AgentRef used = agentd::make<Notebook>(), unused = agentd::make<Notebook>();
  CHECK(used("one").content()["n"] == 1);
  agentd::DistOptions onto = server.here();
  onto.id = "taken";
  CHECK(refusal(used, onto) == ErrorKind::conflict);
  CHECK(refusal(unused, onto) == ErrorKind::conflict);
  onto.share = other.address().node;
  CHECK(refusal(used, onto) == ErrorKind::conflict);
  CHECK(used("two").content()["n"] == 2);
  CHECK(other("first").content()["n"] == 1);
}

TEST_CASE("a launched server that ends leaves no zombie, and its calls fail") {
  const AgentRef there = agentd::make<Notebook>().to_dist();
  const pid_t pid = there.call("pid").content().get<pid_t>();
  const Message answer = there.call("vanish");
  REQUIRE(answer.error());
  CHECK(answer.error()->kind() == ErrorKind::agent_crashed);
  const Message later = there("too late");
  REQUIRE(later.error());
  CHECK(later.error()->kind() == ErrorKind::agent_crashed);
  CHECK(becomes_true([&] { return is_gone(pid); }));
}

TEST_CASE("who gets the port of a launched server that ended is another server") {
  const std::uint16_t port = free_port();
  const AgentRef gone = agent_of_ended_server(port);
  const AgentRef launched = agentd::make<Notebook>().to_dist({.port = port, .id = "notebook"});
  CHECK(launched("first").content()["n"] == 1);
  CHECK(kind_of(gone("too late")) == ErrorKind::agent_crashed);
}

TEST_CASE("an agent and a callback that call an ended server do not reach the next one at its port") {
  const std::uint16_t port = free_port();
  const AgentRef gone = agentd::make<Notebook>().to_dist({.port = port, .id = "notebook"});
  const AgentRef relay = agentd::make<Relay>({{"to", gone}}),
                 later = agentd::make<AsyncRelay>({{"to", gone}});
  for (const AgentRef& agent : {relay, later}) CHECK_FALSE(agent("before").error());
  CHECK(kind_of(gone.call("vanish")) == ErrorKind::agent_crashed);
  const AgentRef next = agentd::make<Notebook>().to_dist({.port = port, .id = "notebook"});
  for (const AgentRef& agent : {relay, later}) {
    const Message answer = agent("too late");
    REQUIRE(answer.error());
    CHECK(answer.error()->root().kind() == ErrorKind::agent_crashed);
  }
  std::promise<Message> called_back;
  next("first").then([&](const Message&) { called_back.set_value(gone("too late")); });
  CHECK(kind_of(called_back.get_future().get()) == ErrorKind::agent_crashed);
  CHECK(next.call("notes").content() == Json::array({"first"}));
}

TEST_CASE("a server that was not launched may have the port of one that was") {
  const std::uint16_t port = free_port();
  const AgentRef gone = agent_of_ended_server(port);
  agentd::AgentServer server{{.type = "Notebook", .id = "notebook", .port = port}};
  server.launch();
  CHECK(agentd::attach("notebook", {.port = port})("first").content()["n"] == 1);
  CHECK(agentd::remote("echo", {.port = port})(1).content() == 1);
  CHECK(agentd::make<Notebook>().to_dist({.port = port, .launch_server = false})("x").content()["n"] == 1);
  CHECK(kind_of(gone("too late")) == ErrorKind::agent_crashed);
}

TEST_CASE("the end of a server that is told late is not that of the next one at its port") {
  const Server server;
  auto& session = agentd::sdk::Session::instance();
  const agentd::NodeAddress address{"127.0.0.1", server.at().port};
  agentd::sdk::SessionNode& ended = session.new_node(address);
  session.new_node(address);
  const AgentRef echo = server.make("echo");
  agentd::sdk::lose_node(ended, Error(ErrorKind::agent_crashed, "it has ended"));
  CHECK(echo("here").content() == "here");
}

TEST_CASE("a launched server dies with its parent, however the parent dies") {
  for (const int signal : {SIGKILL, SIGTERM, SIGINT}) {
    OtherProcess parent({"--parent"});
    const auto child = static_cast<pid_t>(std::stol(parent.line()));
    REQUIRE_FALSE(is_gone(child));
    kill(parent.pid(), signal);
    parent.wait();
    CHECK(becomes_true([&] { return is_gone(child); }));
  }
}

TEST_CASE("launching without init is an error that says so") {
  OtherProcess program({"--no-init"});
  CHECK(program.line().find("agentd::init(argc, argv)") != std::string::npos);
}

TEST_CASE("to_dist without a launch takes the agent to a server that runs") {
  const Server server;
  const AgentRef here = agentd::make<Notebook>({{"name", "N"}});
  (void)here("one").content();
  agentd::DistOptions options = server.here();
  options.id = "moved";
  const AgentRef there = here.to_dist(options);
  CHECK(there.id() == "moved");
  CHECK(there.address().node.port == server.at().port);
  CHECK(there("two").content()["n"] == 2);
  CHECK_THROWS_AS(there.to_dist(), Error);
}

TEST_CASE("to_dist to where nobody listens fails, and the agent stays") {
  const std::uint16_t port = free_port();
  const AgentRef here = agentd::make<Notebook>();
  (void)here("one").content();
  try {
    (void)here.to_dist({.port = port, .launch_server = false});
    FAIL("it was moved");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::peer_unreachable);
  }
  CHECK(here("two").content()["n"] == 2);
}

TEST_CASE("a server that was launched for an agent that cannot go there ends") {
  const auto before = children();
  for (const AgentRef& agent : {agentd::make<Stillborn>(), agentd::make<Rooted>()}) {
    if (agent.id().starts_with("Rooted")) (void)agent("used").content();
    CHECK_THROWS_AS(agent.to_dist(), Error);
  }
  CHECK(becomes_true([&] { return std::ranges::includes(before, children()); }));
}

TEST_CASE("an agent whose arguments name a local agent cannot be moved before that one") {
  const AgentRef local = agentd::make<Notebook>();
  const AgentRef relay = agentd::make<Relay>({{"to", local}});
  CHECK_THROWS_AS(relay.to_dist(), Error);
  CHECK(relay("x").content()["heard"] == "x");
  (void)local.to_dist();
  CHECK(relay("y").content()["n"] == 2);
  CHECK(relay.to_dist()("z").content()["n"] == 3);
}
