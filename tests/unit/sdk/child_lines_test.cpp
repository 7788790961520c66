#include "sdk/src/child_lines.hpp"

#include <future>

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <agentd/client.hpp>
#include <agentd/json.hpp>

#include "sdk/src/session.hpp"

namespace agentd::sdk {
namespace {

/// The line to a launched server, which the test plays. There is room for little on it.
struct ServerLine {
  ServerLine() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    program = ends[0];
    server = ends[1];
    const int least = 1;
    REQUIRE(setsockopt(program, SOL_SOCKET, SO_SNDBUF, &least, sizeof least) == 0);
  }
  ~ServerLine() {
    ChildLines::instance().remove(program);
    close(program);
    close(server);
  }
  void is_up() const { ChildLines::instance().add(program, Session::instance().tokens()); }

  /// The next token that the server hears of, which it confirms.
  std::string next_token() const {
    std::string text;
    for (char c = 0; c != '\n'; text += c) {
      if (read(server, &c, 1) != 1) return "the line has ended";
    }
    (void)!send(server, ".", 1, MSG_NOSIGNAL);
    return Json::parse(text).at("token");
  }
  /// Whether there is a confirmation that nobody has waited for.
  bool is_behind() const {
    char confirmed = 0;
    return recv(program, &confirmed, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
  }

  int program = -1, server = -1;
};

std::string long_token(char c) { return std::string(4096, c); }

}  // namespace

TEST_CASE("a server that was too busy for a token hears of it, and is waited for, with the next one") {
  const ServerLine line;
  line.is_up();
  std::vector<std::string> heard;
  for (const char c : {'a', 'b'}) set_token({.host = "10.8.0.1"}, long_token(c));
  auto server = std::async(std::launch::async, [&] {
    for (int i = 0; i < 3; ++i) heard.push_back(line.next_token());
  });
  set_token({.host = "10.8.0.1"}, long_token('c'));
  CHECK_FALSE(line.is_behind());
  server.get();
  CHECK_FALSE(line.is_behind());
  CHECK(heard == std::vector{long_token('a'), long_token('b'), long_token('c')});
}

TEST_CASE("a server that does not listen is not introduced to tokens for ever") {
  for (std::uint16_t port = 1; port <= 10; ++port) {
    Session::instance().set_token({"10.8.0.2", port}, long_token('x'));
  }
  const ServerLine line;
  CHECK(ChildLines::introduce(line.program, ChildLines::Clock::now()).size() >= 10);
}

TEST_CASE("of tokens that are set at once the one that holds is the last that a server hears of") {
  const ServerLine line;
  line.is_up();
  const At node{.host = "10.8.0.3"};
  for (int round = 0; round < 50; ++round) {
    std::string heard;
    std::promise<void> begin;
    const auto begun = begin.get_future().share();
    std::vector<std::future<void>> setters;
    for (const char* token : {"first", "second"}) {
      setters.push_back(std::async(std::launch::async, [=] {
        begun.wait();
        set_token(node, token);
      }));
    }
    begin.set_value();
    for (int i = 0; i < 2; ++i) heard = line.next_token();
    for (auto& setter : setters) setter.get();
    REQUIRE(heard == Session::instance().token({node.host, node.port}));
  }
}

}  // namespace agentd::sdk
