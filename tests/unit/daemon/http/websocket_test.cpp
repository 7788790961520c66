#include <catch2/catch.hpp>

#include <chrono>
#include <string>

#include "tests/unit/daemon/http/client_frames.hpp"
#include "tests/unit/daemon/http/world.hpp"

using namespace agentd::http;
using namespace agentd::http::test;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t mebibyte = 1U << 20;

/// A client that has been let in.
struct WebSocket : Client {
  explicit WebSocket(const World& world, std::string_view path = "/ws", std::string_view headers = {})
      : Client(world) {
    REQUIRE(upgrade(path, headers).status == 101);
  }
  void say(std::string_view text) { send(client_frame(text)); }
  unsigned close_code() {
    for (;;) {
      const Frame got = frame();
      if (got.opcode == 8) return got.code();
    }
  }
};

void wait_until_gone(World& world) {
  world.eventually([](Server& server, FakeDispatcher& dispatcher) {
    return server.connections() == 0 && server.counters().websockets == 0 && dispatcher.closed_channels > 0;
  });
}

}  // namespace

TEST_CASE("the upgrade's answer says which start of the node this is, and what it keeps") {
  World world;
  Client client(world);
  const Response response = client.upgrade();
  CHECK(response.status == 101);
  CHECK(response.header("Agentd-Boot") == "boot-1");
  CHECK(response.header("Agentd-Durability") == "off");
  CHECK(response.header("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("a frame is handed over and its answer comes back") {
  World world;
  WebSocket client(world);
  client.say("hello");
  const Frame frame = client.frame();
  CHECK(frame.opcode == 1);
  CHECK(frame.payload == "hello");
}

TEST_CASE("an upgrade may follow requests on the same connection") {
  World world;
  Client client(world);
  CHECK(client.post("a").body == "a");
  CHECK(client.upgrade().status == 101);
  client.send(client_frame("b"));
  CHECK(client.frame().payload == "b");
}

TEST_CASE("the caller is the one in the URL, or one of its own") {
  World world;
  WebSocket named(world, "/ws?caller=me%3A1");
  named.say("a");
  named.frame();
  WebSocket nameless(world);
  nameless.say("b");
  nameless.frame();
  WebSocket another(world);
  another.say("c");
  another.frame();
  world.on_loop([](Server&, FakeDispatcher& dispatcher) {
    REQUIRE(dispatcher.callers.size() == 3);
    CHECK(dispatcher.callers[0] == "me:1");
    CHECK(agentd::is_caller_id(dispatcher.callers[1]));
    CHECK(dispatcher.callers[1] != dispatcher.callers[2]);
  });
  CHECK(Client(world).upgrade("/ws?caller=a%20b").status == 400);
  CHECK(Client(world).upgrade("/ws?token=x").status == 400);
}

TEST_CASE("frames come out whole however the bytes arrive") {
  World world;
  WebSocket client(world);
  const std::string bytes =
      client_frame("one") + client_frame("tw", {.fin = false}) + client_frame("o", {.opcode = 0});
  for (const char c : bytes) {
    client.send({&c, 1});
    world.on_loop([](Server&, FakeDispatcher&) {});
  }
  CHECK(client.frame().payload == "one");
  CHECK(client.frame().payload == "two");
}

TEST_CASE("a plain client gets one object a frame") {
  World world;
  WebSocket client(world);
  client.say("pair");
  CHECK(client.frame().payload == "1");
  CHECK(client.frame().payload == "2");
}

TEST_CASE("a client that takes batches gets what belongs together in one frame") {
  World world;
  WebSocket announced(world, "/ws", "Agentd-Batch: 1\r\n");
  announced.say("pair");
  CHECK(announced.frame().payload == "[1,2]");
  WebSocket shown(world);
  shown.say(" [3]");
  CHECK(shown.frame().payload == " [3]");
  shown.say("pair");
  CHECK(shown.frame().payload == "[1,2]");
}

TEST_CASE("a frame that is put leaves as it is, in its order") {
  World world;
  WebSocket plain(world);
  plain.say("put");
  for (const char* payload : {"1", "[2,3]", "4"}) CHECK(plain.frame().payload == payload);
  WebSocket packing(world, "/ws", "Agentd-Batch: 1\r\n");
  packing.say("put");
  for (const char* payload : {"1", "[2,3]", "4"}) CHECK(packing.frame().payload == payload);
}

TEST_CASE("a ping is answered with its payload, also inside a message") {
  World world;
  WebSocket client(world);
  client.send(client_frame("a", {.fin = false}) + client_frame("ping", {.opcode = 9}) +
              client_frame("b", {.opcode = 0}));
  const Frame pong = client.frame();
  CHECK(pong.opcode == 10);
  CHECK(pong.payload == "ping");
  CHECK(client.frame().payload == "ab");
}

TEST_CASE("a client that pings without end is closed") {
  World world;
  WebSocket client(world);
  std::string pings;
  for (int i = 0; i < 300; ++i) pings += client_frame("", {.opcode = 9});
  client.send(pings);
  CHECK(client.close_code() == 1008);
}

TEST_CASE("a silent client is pinged, and dropped where it does not answer") {
  ServerSettings settings;
  settings.limits.ping_interval = milliseconds(20);
  World world(settings);
  WebSocket client(world);
  CHECK(client.frame().opcode == 9);
  CHECK(client.frame().opcode == 9);
  CHECK(client.ended());
  wait_until_gone(world);
}

TEST_CASE("a silent client that answers pings stays") {
  ServerSettings settings;
  settings.limits.ping_interval = milliseconds(20);
  World world(settings);
  WebSocket client(world);
  for (int i = 0; i < 6; ++i) {
    REQUIRE(client.frame().opcode == 9);
    client.send(client_frame("", {.opcode = 10}));
  }
  CHECK(world.connections() == 1);
}

TEST_CASE("a message beyond the limit closes with 1009, and a client that takes batches has more") {
  World world;
  WebSocket plain(world);
  plain.say(std::string(mebibyte, 'a'));
  CHECK(plain.frame().payload.size() == mebibyte);
  plain.say(std::string(mebibyte + 1, 'a'));
  CHECK(plain.close_code() == 1009);
  WebSocket batches(world, "/ws", "Agentd-Batch: 1\r\n");
  batches.say(std::string(2 * mebibyte, 'a'));
  CHECK(batches.frame().payload.size() == 2 * mebibyte);
  batches.say(std::string(2 * mebibyte + 1, 'a'));
  CHECK(batches.close_code() == 1009);
}

TEST_CASE("a binary frame closes with 1003, broken text with 1007, a broken frame with 1002") {
  World world;
  WebSocket binary(world);
  binary.send(client_frame("a", {.opcode = 2}));
  CHECK(binary.close_code() == 1003);
  WebSocket broken_text(world);
  broken_text.say("\xff");
  CHECK(broken_text.close_code() == 1007);
  WebSocket unmasked(world);
  unmasked.send(client_frame("a", {.masked = false}));
  CHECK(unmasked.close_code() == 1002);
  WebSocket fragments(world);
  fragments.send(client_frame("a", {.fin = false}));
  for (int i = 0; i < 1000; ++i) fragments.send(client_frame("", {.opcode = 0, .fin = false}));
  CHECK(fragments.close_code() == 1008);
  world.on_loop([](Server&, FakeDispatcher& dispatcher) { CHECK(dispatcher.frames == 0); });
}

TEST_CASE("a close is answered by the same code, and the connection ends") {
  World world;
  WebSocket client(world);
  client.send(client_frame(close_text(3000, "bye"), {.opcode = 8}) + client_frame("never"));
  CHECK(client.close_code() == 3000);
  CHECK(client.ended());
  wait_until_gone(world);
  world.on_loop([](Server&, FakeDispatcher& dispatcher) {
    CHECK(dispatcher.frames == 0);
    CHECK(dispatcher.closed_channels == 1);
  });
}

TEST_CASE("a client that is told to close and says nothing is closed all the same") {
  ServerSettings settings;
  settings.limits.close_time = milliseconds(20);
  World world(settings);
  WebSocket client(world);
  client.send(client_frame("a", {.opcode = 2}));
  CHECK(client.close_code() == 1003);
  CHECK(client.ended());
  wait_until_gone(world);
}

TEST_CASE("closing all says 1001 after what was still to be said") {
  World world;
  WebSocket client(world);
  client.say("last");
  world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.frames == 1; });
  world.on_loop([](Server& server, FakeDispatcher&) { server.close_all(); });
  CHECK(client.frame().payload == "last");
  CHECK(client.close_code() == 1001);
  client.send(client_frame(close_text(1001), {.opcode = 8}));
  CHECK(client.ended());
  wait_until_gone(world);
}

TEST_CASE("a client that goes without a word is noticed, and its channel is closed once") {
  World world;
  {
    WebSocket client(world);
    client.send(client_frame("half a mess", {.fin = false}));
  }
  wait_until_gone(world);
  world.on_loop([](Server&, FakeDispatcher& dispatcher) { CHECK(dispatcher.closed_channels == 1); });
}

TEST_CASE("a client that reads late gets everything, in order") {
  World world;
  WebSocket client(world);
  client.say("flood 10000");
  client.say("end");
  world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.frames >= 1; });
  for (int i = 0; i < 10'000; ++i) REQUIRE(client.frame().payload.size() == 1024);
  CHECK(client.frame().payload == "end");
}

TEST_CASE("while much waits to be written to a client, nothing is read from it") {
  ServerSettings settings;
  settings.limits.read_pause = 1000;
  World world(settings);
  WebSocket client(world);
  client.say("flood 15000");
  world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.frames == 1; });
  client.say("end");
  for (int turn = 0; turn < 100; ++turn) {
    world.on_loop([](Server&, FakeDispatcher& dispatcher) { CHECK(dispatcher.frames == 1); });
  }
  for (int i = 0; i < 15'000; ++i) REQUIRE(client.frame().payload.size() == 1024);
  CHECK(client.frame().payload == "end");
}

TEST_CASE("a client that does not read is dropped") {
  ServerSettings settings;
  settings.limits.write_time = milliseconds(20);
  World world(settings);
  WebSocket client(world);
  client.say("flood 15000");
  wait_until_gone(world);
}

TEST_CASE("a client for which too much waits is dropped at once") {
  ServerSettings settings;
  settings.limits.write_queue = mebibyte;
  World world(settings);
  WebSocket client(world);
  client.say("flood 15000");
  wait_until_gone(world);
}

TEST_CASE("the server may go while clients are connected") {
  std::size_t closed = 0;
  {
    World world;
    WebSocket client(world);
    client.say("flood 15000");
    world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.frames == 1; });
    world.on_loop([&](Server&, FakeDispatcher& dispatcher) { closed = dispatcher.closed_channels; });
  }
  CHECK(closed == 0);
}

TEST_CASE("a message that has begun must come on") {
  ServerSettings settings;
  settings.limits.body_grace = milliseconds(1);
  World world(settings);
  WebSocket client(world);
  SECTION("within a frame") { client.send(client_frame("0123456789").substr(0, 12)); }
  SECTION("between its fragments") { client.send(client_frame("01234", {.fin = false})); }
  CHECK(client.close_code() == 1008);
}

TEST_CASE("between messages there is nothing that must come on") {
  ServerSettings settings;
  settings.limits.body_grace = milliseconds(1'000);
  settings.limits.ping_interval = milliseconds(2'500);
  World world(settings);
  WebSocket client(world);
  const std::string whole = client_frame("0123456789");
  client.send(whole.substr(0, 12));
  client.send(whole.substr(12));
  CHECK(client.frame().payload == "0123456789");
  // The ping comes later than a look at a message would have.
  CHECK(client.frame().opcode == 9);
}
