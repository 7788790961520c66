#include <catch2/catch.hpp>

#include <string>

#include "tests/unit/daemon/http/world.hpp"

using namespace agentd::http::test;
using namespace std::string_literals;

// What has a second meaning for another reader of the same bytes must neither be answered nor leave
// anything behind it to be taken for a request.

TEST_CASE("a request with two meanings is answered by 400, and nothing after it is read") {
  const std::string request = GENERATE(
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nlike"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nlike"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4, 4\r\n\r\nlike"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: +4\r\n\r\nlike"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4 4\r\n\r\nlike"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding:\x0b"
      "chunked\r\n\r\n0\r\n\r\n"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nX: y\r\n Content-Length: 4\r\n\r\nlike"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\nContent-Length: 4\r\n\r\nlike"s,
      "POST /rpc HTTP/1.1\nHost: localhost\n\n"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nX: a\rContent-Length: 4\r\n\r\n"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\n"s,
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"s,
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"s,
      "GET /healthz HTTP/1.1\r\n\r\n"s,
      "GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"s, "GET /healthz\r\n\r\n"s,
      "GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"s,
      "GET /healthz HTTP/3.0\r\nHost: localhost\r\n\r\n"s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"s,
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s + "\n",
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n"s,
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"s);
  INFO(request);
  World world;
  Client client(world);
  client.send(request + "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Response response = client.response();
  CHECK(response.status == 400);
  CHECK(response.header("Connection") == "close");
  CHECK(client.ended());
  world.on_loop([](auto&, FakeDispatcher& dispatcher) { CHECK(dispatcher.bodies == 0); });
}

TEST_CASE("a host that is not ours is turned away on every route") {
  World world;
  for (const char* start : {"GET /", "GET /healthz", "GET /ws", "POST /rpc", "GET /nothing"}) {
    Client client(world);
    client.send(start + " HTTP/1.1\r\nHost: evil.example:"s + std::to_string(world.port()) + "\r\n\r\n");
    CHECK(client.response().status == 403);
  }
}

TEST_CASE("a web page cannot open a WebSocket") {
  World world;
  CHECK(Client(world).upgrade("/ws", "Origin: http://localhost\r\n").status == 403);
  CHECK(Client(world).upgrade("/ws", "Origin: null\r\n").status == 403);
}

TEST_CASE("bytes behind an upgrade that is not answered yet are no frames") {
  World world;
  Client client(world);
  client.send(
      "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: "
      "Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(client.response().status == 400);
  CHECK(client.ended());
}
