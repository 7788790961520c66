#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "common/vocabulary/home.hpp"
#include "tests/unit/daemon/http/client_frames.hpp"
#include "tests/unit/daemon/http/world.hpp"

using namespace agentd::http;
using namespace agentd::http::test;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t loops = 4;

std::size_t home_loop(std::string_view caller, std::size_t of = loops) {
  return agentd::loop_of(agentd::home_of(caller), of);
}

/// A caller whose home is there; another one for each number.
std::string caller_at(std::size_t loop, std::size_t number = 0, std::size_t of = loops) {
  for (std::size_t i = 0;; ++i) {
    std::string caller = "caller-" + std::to_string(number) + "-" + std::to_string(i);
    if (home_loop(caller, of) == loop) return caller;
  }
}

std::string upgrade_text(const std::string& caller) {
  return "GET /ws?caller=" + caller +
         " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}

std::string say(Client& client, std::string_view text) {
  client.send(client_frame(text));
  return client.frame().payload;
}

/// A server whose two loops this thread turns, one at a time.
struct ByHand {
  ByHand() {
    server.emplace(loops, std::vector<agentd::rpc::Dispatcher*>{&dispatchers[0], &dispatchers[1]},
                   ServerSettings{});
    if (!server->listen()) throw std::runtime_error("no port");
    port = server->listening().port;
  }

  void turn(std::size_t loop, const std::function<bool()>& until) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!until()) {
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("it never came to hold");
      loops[loop].run_once(milliseconds(1));
    }
  }

  agentd::async::Loops loops{2};
  std::deque<FakeDispatcher> dispatchers{2};
  std::optional<Server> server;
  std::uint16_t port = 0;
};

}  // namespace

TEST_CASE("connections go to the loops in turn") {
  World world({}, loops);
  std::deque<Client> clients;
  for (std::size_t i = 0; i < 2 * loops; ++i) CHECK(clients.emplace_back(world).post("a").body == "a");
  for (std::size_t i = 0; i < loops; ++i) {
    world.on_loop(i, [](FakeDispatcher& dispatcher) { CHECK(dispatcher.bodies == 2); });
  }
  world.on_loop([](Server& server, FakeDispatcher&) {
    CHECK(server.connections() == 2 * loops);
    CHECK(server.counters().accepted == 2 * loops);
    CHECK(server.counters().requests == 2 * loops);
  });
}

TEST_CASE("a WebSocket is at the loop of its caller's home, wherever it was accepted") {
  World world({}, loops);
  std::deque<Client> clients;
  std::vector<std::vector<std::string>> callers(loops);
  for (std::size_t home = 0; home < loops; ++home) {
    for (std::size_t accepting = 0; accepting < loops; ++accepting) {
      const std::string caller = callers[home].emplace_back(caller_at(home, accepting));
      Client& client = clients.emplace_back(world);
      CHECK(client.upgrade("/ws?caller=" + caller).status == 101);
      CHECK(say(client, "hello") == "hello");
    }
  }
  for (std::size_t i = 0; i < loops; ++i) {
    world.on_loop(i, [&](FakeDispatcher& dispatcher) { CHECK(dispatcher.callers == callers[i]); });
  }
  world.on_loop([](Server& server, FakeDispatcher&) {
    CHECK(server.connections() == loops * loops);
    CHECK(server.counters().websockets == loops * loops);
    CHECK(server.counters().frames_received == loops * loops);
  });
  clients.clear();
  world.eventually([](Server& server, FakeDispatcher&) {
    return server.connections() == 0 && server.counters().websockets == 0;
  });
}

TEST_CASE("a WebSocket without a caller is at the home of the one that it is given") {
  World world({}, loops);
  std::deque<Client> clients;
  for (std::size_t i = 0; i < 2 * loops; ++i) {
    CHECK(clients.emplace_back(world).upgrade().status == 101);
    CHECK(say(clients.back(), "hello") == "hello");
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < loops; ++i) {
    world.on_loop(i, [&](FakeDispatcher& dispatcher) {
      count += dispatcher.callers.size();
      for (const std::string& caller : dispatcher.callers) CHECK(home_loop(caller) == i);
    });
  }
  CHECK(count == 2 * loops);
}

TEST_CASE("what comes while a WebSocket is on its way to its loop is answered there") {
  World world({}, loops);
  Client client(world);
  const std::size_t home = loops - 1;
  // That loop is busy meanwhile.
  world.on_loop(home, [&](FakeDispatcher&) {
    client.send(upgrade_text(caller_at(home)));
    world.eventually([](Server& server, FakeDispatcher&) { return server.counters().requests == 1; });
    client.send(client_frame("[1,2]"));
  });
  CHECK(client.response().status == 101);
  CHECK(client.frame().payload == "[1,2]");
  CHECK(say(client, "pair") == "[1,2]");
  world.on_loop(home, [](FakeDispatcher& dispatcher) { CHECK(dispatcher.frames == 2); });
}

TEST_CASE("clients of many threads are served by all loops, and counted meanwhile") {
  constexpr std::size_t rounds = 25;
  World world({}, loops);
  std::atomic<std::size_t> answered{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < loops; ++i) {
    threads.emplace_back([&, i] {
      for (std::size_t round = 0; round < rounds; ++round) {
        Client client(world);
        if (client.post("a").body == "a") ++answered;
        client.upgrade("/ws?caller=" + caller_at(round % loops, i));
        if (say(client, "b") == "b") ++answered;
      }
    });
  }
  const Server& server = world.server();
  for (std::uint64_t accepted = 0; accepted < loops * rounds;) {
    world.on_loop(loops - 1, [&](FakeDispatcher&) {
      CHECK(server.connections() <= loops * rounds);
      CHECK(server.counters().accepted >= accepted);
      accepted = server.counters().accepted;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(answered == 2 * loops * rounds);
  CHECK(server.counters().requests == 2 * loops * rounds);
  CHECK(server.counters().frames_sent == loops * rounds);
  world.eventually([](Server& asked, FakeDispatcher&) {
    return asked.connections() == 0 && asked.counters().websockets == 0;
  });
}

TEST_CASE("an upgrade that waits behind another request moves, too") {
  World world({}, loops);
  Client client(world);
  client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nlater" +
              upgrade_text(caller_at(loops - 1)));
  world.release(1, "now");
  CHECK(client.response().body == "now");
  CHECK(client.response().status == 101);
  CHECK(say(client, "hello") == "hello");
  world.on_loop(loops - 1, [](FakeDispatcher& dispatcher) { CHECK(dispatcher.frames == 1); });
}

TEST_CASE("a client that goes while its WebSocket is on its way is counted out") {
  World world({}, loops);
  const std::size_t home = loops - 1;
  world.on_loop(home, [&](FakeDispatcher&) {
    Client client(world);
    client.send(upgrade_text(caller_at(home)));
    world.eventually([](Server& server, FakeDispatcher&) { return server.counters().requests == 1; });
    CHECK(world.connections() == 1);
    client.reset();
  });
  world.eventually([](Server& server, FakeDispatcher&) {
    return server.connections() == 0 && server.counters().websockets == 0;
  });
}

TEST_CASE("closing reaches the connections of all loops") {
  World world({}, loops);
  std::deque<Client> sockets;
  std::deque<Client> others;
  for (std::size_t i = 0; i < loops; ++i) {
    CHECK(sockets.emplace_back(world).upgrade("/ws?caller=" + caller_at(i)).status == 101);
    CHECK(say(sockets.back(), "hello") == "hello");
  }
  for (std::size_t i = 0; i < loops; ++i) CHECK(others.emplace_back(world).get("/healthz").status == 200);
  world.on_loop([](Server& server, FakeDispatcher&) { server.close_all(); });
  for (Client& socket : sockets) {
    const Frame goodbye = socket.frame();
    CHECK(goodbye.opcode == 8);
    CHECK(goodbye.code() == 1001);
    socket.send(client_frame(close_text(1001), {.opcode = 8}));
    CHECK(socket.ended());
  }
  for (Client& other : others) CHECK(other.ended());
  world.eventually([](Server& server, FakeDispatcher&) { return server.connections() == 0; });
  for (std::size_t i = 0; i < loops; ++i) {
    world.on_loop(i, [](FakeDispatcher& dispatcher) { CHECK(dispatcher.closed_channels == 1); });
  }
}

TEST_CASE("the bound of connections is for all loops together") {
  ServerSettings settings;
  settings.limits.connections = loops + 2;
  World world(settings, loops);
  std::deque<Client> clients;
  for (std::size_t i = 0; i < loops; ++i) CHECK(clients.emplace_back(world).get("/healthz").status == 200);
  for (std::size_t i = 0; i < 2; ++i) CHECK(clients.emplace_back(world).upgrade().status == 101);
  for (std::size_t i = 0; i < loops; ++i) CHECK(Client(world).get("/healthz").status == 503);
  world.on_loop([](Server& server, FakeDispatcher&) { CHECK(server.counters().turned_away == loops); });
  clients.pop_back();
  clients.pop_front();
  world.eventually([](Server& server, FakeDispatcher&) { return server.connections() == loops; });
  CHECK(Client(world).get("/healthz").status == 200);
}

TEST_CASE("another token is taken at all loops") {
  ServerSettings settings;
  settings.token = "old";
  World world(settings, loops);
  world.on_loop([](Server& server, FakeDispatcher&) { server.set_token("new"); });
  for (std::size_t i = 0; i < loops; ++i) {
    Client client(world);
    CHECK(client.get("/", "Authorization: Bearer old\r\n").status == 401);
    CHECK(client.get("/", "Authorization: Bearer new\r\n").status == 200);
  }
}

TEST_CASE("a WebSocket that is on its way when all are closed is told so") {
  ByHand node;
  Client first(node.port);
  Client second(node.port);
  node.turn(0, [&] { return node.server->counters().accepted == 2; });
  second.send(upgrade_text(caller_at(0, 0, 2)));
  node.turn(1, [&] { return node.server->counters().requests == 1; });
  node.server->close_all();
  CHECK(node.server->connections() == 1);
  node.turn(0, [&] { return node.server->counters().websockets == 1; });
  CHECK(second.response().status == 101);
  CHECK(second.frame().code() == 1001);
  CHECK(node.dispatchers[0].closed_channels == 1);
}

TEST_CASE("a connection that never arrives at its loop ends with the node") {
  std::optional<ByHand> node(std::in_place);
  Client first(node->port);
  Client second(node->port);
  node->turn(0, [&] { return node->server->counters().accepted == 2; });
  node.reset();
  CHECK(first.ended());
  CHECK(second.ended());
}
