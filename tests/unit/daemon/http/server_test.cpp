#include "daemon/http/server.hpp"

#include <catch2/catch.hpp>

#include <string>

#include "tests/unit/daemon/http/world.hpp"

using namespace agentd;
using namespace agentd::http;
using namespace agentd::http::test;

TEST_CASE("a body is handed over and its answer comes back") {
  World world;
  Client client(world);
  const Response response = client.post(R"({"a":1})");
  CHECK(response.status == 200);
  CHECK(response.body == R"({"a":1})");
  CHECK(response.header("Content-Type") == "application/json");
  CHECK(response.header("Cache-Control") == "no-store");
  CHECK(response.header("X-Content-Type-Options") == "nosniff");
  CHECK(response.header("Server") == "agentd");
}

TEST_CASE("an empty answer is 204, without a length") {
  World world;
  Client client(world);
  const Response response = client.post("nothing");
  CHECK(response.status == 204);
  CHECK(response.header("Content-Length").empty());
  CHECK(client.post("next").body == "next");
}

TEST_CASE("a body of no bytes is handed over too") {
  World world;
  Client client(world);
  CHECK(client.post("").status == 204);
  world.on_loop([](Server&, FakeDispatcher& dispatcher) { CHECK(dispatcher.bodies == 1); });
}

TEST_CASE("the routes that show something") {
  World world;
  Client client(world);
  CHECK(client.get("/healthz").body == "ok\n");
  CHECK(client.get("/readyz").status == 200);
  CHECK(client.get("/metrics").header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(client.get("/metrics").body == "agentd_up 1\n");
  CHECK(client.get("/openrpc.json").header("Content-Type") == "application/json");
  CHECK(client.get("/").body.find("/rpc") != std::string::npos);
  CHECK(client.get("/?x=1").status == 200);
}

TEST_CASE("a node that is not ready says so and when to ask again, and is alive all the same") {
  World world;
  world.on_loop([](Server&, FakeDispatcher& dispatcher) { dispatcher.is_ready = false; });
  Client client(world);
  const Response response = client.get("/readyz");
  CHECK(response.status == 503);
  CHECK(response.header("Retry-After") == "1");
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("HEAD has the length of the body that GET has, and no body") {
  World world;
  Client client(world);
  client.send("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Response response = client.response(false);
  CHECK(response.status == 200);
  CHECK(response.header("Content-Length") == "12");
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("a connection goes on after a refusal that leaves nothing unread") {
  World world;
  Client client(world);
  CHECK(client.get("/nothing").status == 404);
  CHECK(client.get("/rpc").status == 405);
  CHECK(client.get("/ws").status == 426);
  CHECK(client.get("/healthz", "Origin: https://evil.example\r\n").status == 403);
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("a refused request with a body ends the connection, and the refusal arrives") {
  ServerSettings settings;
  settings.token = "secret";
  World world(settings);
  Client client(world);
  const Response response = client.post(std::string(500'000, 'a'));
  CHECK(response.status == 401);
  CHECK(response.header("Connection") == "close");
  CHECK(client.ended());
}

TEST_CASE("the token opens /rpc and /ws") {
  ServerSettings settings;
  settings.token = "secret";
  World world(settings);
  CHECK(Client(world).get("/healthz").status == 200);
  CHECK(Client(world).get("/metrics").status == 401);
  CHECK(Client(world).upgrade().status == 401);
  CHECK(Client(world).post("a", "Authorization: bearer secret\r\n").status == 200);
  CHECK(Client(world).upgrade("/ws", "Authorization: Bearer secret\r\n").status == 101);
  world.on_loop([](Server& server, FakeDispatcher&) { server.set_token("new"); });
  CHECK(Client(world).post("a", "Authorization: Bearer secret\r\n").status == 401);
  CHECK(Client(world).post("a", "Authorization: Bearer new\r\n").status == 200);
}

TEST_CASE("requests sent ahead are answered in their order, a slow one first") {
  World world;
  Client client(world);
  const auto post = [](const std::string& body) {
    return "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  };
  client.send(post("first") + post("later") + post("third") +
              "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(client.response().body == "first");
  client.send(post("fifth"));
  world.release(1, "second");
  CHECK(client.response().body == "second");
  CHECK(client.response().body == "third");
  CHECK(client.response().body == "ok\n");
  CHECK(client.response().body == "fifth");
}

TEST_CASE("a request that comes byte by byte is the same request") {
  World world;
  Client client(world);
  const std::string request =
      "\r\nPOST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (const char c : request) {
    client.send({&c, 1});
    world.on_loop([](Server&, FakeDispatcher&) {});
  }
  CHECK(client.response().body == "abc");
}

TEST_CASE("large bodies go both ways, with a length and in chunks") {
  World world;
  Client client(world);
  const std::string body(1U << 20, 'b');
  CHECK(client.post(body).body == body);
  client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n" + body +
              "\r\n0\r\n\r\n");
  CHECK(client.response().body == body);
  CHECK(client.post("long 8000000").body.size() == 8'000'000);
}

TEST_CASE("a client that asks whether to go on is told to, but not for a body that is refused") {
  World world;
  Client client(world);
  client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(client.response(false).status == 100);
  client.send("abc");
  CHECK(client.response().body == "abc");
  client.send(
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n");
  CHECK(client.response().status == 413);
}

TEST_CASE("HTTP/1.0 ends after one answer, unless asked to stay") {
  World world;
  Client once(world);
  once.send("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
  CHECK(once.response().status == 200);
  CHECK(once.ended());
  Client stays(world);
  stays.send("GET /healthz HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
  CHECK(stays.response().header("Connection") == "keep-alive");
  CHECK(stays.get("/healthz").status == 200);
}

TEST_CASE("a client that says close gets its answer and the end") {
  World world;
  Client client(world);
  const Response response = client.post("a", "Connection: close\r\n");
  CHECK(response.body == "a");
  CHECK(response.header("Connection") == "close");
  CHECK(client.ended());
}

TEST_CASE("a client that has ended its side still gets its answers") {
  World world;
  Client client(world);
  client.send(
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nlaterGET /healthz HTTP/1.1\r\nHost: "
      "localhost\r\n\r\n");
  client.end_sending();
  world.release(1, "now");
  CHECK(client.response().body == "now");
  CHECK(client.response().body == "ok\n");
  CHECK(client.ended());
}

TEST_CASE("an answer for a client that is gone is dropped, and so is the connection") {
  World world;
  {
    Client client(world);
    client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nlater");
    world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.kept.size() == 1; });
  }
  world.release(1, std::string(10'000'000, 'x'));
  world.eventually([](Server& server, FakeDispatcher&) { return server.connections() == 0; });
}

TEST_CASE("an answer may come when the server is gone") {
  rpc::Dispatcher::Answer late;
  {
    World world;
    Client client(world);
    client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nlater");
    world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.kept.size() == 1; });
    world.on_loop([&](Server&, FakeDispatcher& dispatcher) { late = dispatcher.kept.front(); });
  }
  late("too late");
}

TEST_CASE("closing lets a pending answer through, and takes no more requests") {
  World world;
  Client idle(world);
  CHECK(idle.get("/healthz").status == 200);
  Client waits(world);
  waits.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nlater");
  world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.kept.size() == 1; });
  world.on_loop([](Server& server, FakeDispatcher&) { server.close_all(); });
  CHECK(idle.ended());
  world.release(1, "at last");
  const Response response = waits.response();
  CHECK(response.body == "at last");
  CHECK(response.header("Connection") == "close");
  CHECK(waits.ended());
  waits.close();
  world.eventually([](Server& server, FakeDispatcher&) { return server.connections() == 0; });
  CHECK_THROWS(Client(world));
}

TEST_CASE("closing does not wait for an answer that does not come") {
  ServerSettings settings;
  settings.limits.close_time = std::chrono::milliseconds(20);
  World world(settings);
  Client client(world);
  client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nlater");
  world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.kept.size() == 1; });
  world.on_loop([](Server& server, FakeDispatcher&) { server.close_all(); });
  CHECK(client.ended());
  world.eventually([](Server& server, FakeDispatcher&) { return server.connections() == 0; });
}

TEST_CASE("after stop_accepting nobody new gets in, and who is in stays") {
  World world;
  Client client(world);
  CHECK(client.get("/healthz").status == 200);
  world.on_loop([&](Server& server, FakeDispatcher&) {
    server.stop_accepting();
    CHECK(server.listening().port == world.port());
  });
  CHECK(client.get("/healthz").status == 200);
  CHECK_THROWS(Client(world));
}

TEST_CASE("a port that is taken is reported with the system's number") {
  World world;
  async::Loops loops(1);
  FakeDispatcher dispatcher;
  ServerSettings settings;
  settings.port = world.port();
  Server second(loops, {&dispatcher}, settings);
  const auto result = second.listen();
  REQUIRE(result.has_error());
  CHECK(result.error().details()["errno"] == EADDRINUSE);
  CHECK(result.error().message().find("127.0.0.1:" + std::to_string(world.port())) != std::string::npos);
}

TEST_CASE("beyond loopback a token or --insecure is needed") {
  async::Loops loops(1);
  FakeDispatcher dispatcher;
  ServerSettings settings;
  settings.host = "0.0.0.0";
  const auto unsafe = Server(loops, {&dispatcher}, settings).listen();
  REQUIRE(unsafe.has_error());
  CHECK(unsafe.error().kind() == ErrorKind::invalid_params);
  CHECK(unsafe.error().message().find("token") != std::string::npos);
}

TEST_CASE("every address of the machine needs one to advertise, however it is written") {
  async::Loops loops(1);
  FakeDispatcher dispatcher;
  for (const char* host : {"0.0.0.0", "::", "0x0"}) {
    ServerSettings settings;
    settings.host = host;
    settings.insecure = true;
    const auto result = Server(loops, {&dispatcher}, settings).listen();
    REQUIRE(result.has_error());
    CHECK(result.error().message().find("advertise") != std::string::npos);
  }
}

TEST_CASE("an address that is none is refused by name") {
  async::Loops loops(1);
  FakeDispatcher dispatcher;
  ServerSettings settings;
  settings.host = "256.0.0.1.";
  const auto result = Server(loops, {&dispatcher}, settings).listen();
  REQUIRE(result.has_error());
  CHECK(result.error().message().find("256.0.0.1.") != std::string::npos);
}

TEST_CASE("nobody is interested in an answer any more when its connection is gone") {
  World world;
  Client client(world);
  client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nlater");
  world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.kept.size() == 1; });
  world.on_loop([](Server&, FakeDispatcher& dispatcher) { CHECK_FALSE(dispatcher.interests[0].expired()); });
  client.reset();
  world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.interests[0].expired(); });
}

TEST_CASE("a client that has ended its side is not waited for without end") {
  ServerSettings settings;
  settings.limits.half_closed_time = std::chrono::milliseconds(1);
  World world(settings);
  Client client(world);
  client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nlater");
  world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.kept.size() == 1; });
  client.end_sending();
  CHECK(client.ended());
  world.eventually([](Server& server, FakeDispatcher& dispatcher) {
    return server.connections() == 0 && dispatcher.interests.back().expired();
  });
}
