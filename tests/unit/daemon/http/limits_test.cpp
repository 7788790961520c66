#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <vector>

#include "tests/unit/daemon/http/world.hpp"

using namespace agentd::http;
using namespace agentd::http::test;
using std::chrono::milliseconds;

namespace {

/// Leaves this process without a free descriptor while it lives.
class NoDescriptors {
public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 128;
    ::setrlimit(RLIMIT_NOFILE, &low);
    while (true) {
      const int taken = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (taken < 0) break;
      taken_.push_back(taken);
    }
  }
  ~NoDescriptors() {
    for (const int taken : taken_) ::close(taken);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

  void free_one() {
    ::close(taken_.back());
    taken_.pop_back();
  }

private:
  rlimit before_{};
  std::vector<int> taken_;
};

}  // namespace

TEST_CASE("a body beyond the limit is refused, by its length and by its chunks") {
  ServerSettings settings;
  settings.limits.body = 1000;
  World world(settings);
  CHECK(Client(world).post(std::string(1000, 'a')).status == 200);
  Client with_length(world);
  CHECK(with_length.post(std::string(100'000, 'a')).status == 413);
  CHECK(with_length.ended());
  Client with_chunks(world);
  with_chunks.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n");
  CHECK(with_chunks.response().status == 413);
  CHECK(with_chunks.ended());
}

TEST_CASE("a header beyond the limit is refused, complete or not") {
  World world;
  Client complete(world);
  CHECK(complete.get("/healthz", "A: " + std::string(17'000, 'a') + "\r\n").status == 431);
  CHECK(complete.ended());
  Client endless(world);
  endless.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nA: " + std::string(17'000, 'a'));
  CHECK(endless.response().status == 431);
  CHECK(Client(world).get("/healthz", "A: " + std::string(16'000, 'a') + "\r\n").status == 200);
}

TEST_CASE("a header that does not end in time is refused") {
  ServerSettings settings;
  settings.limits.header_time = milliseconds(20);
  World world(settings);
  Client client(world);
  client.send("GET /healthz HTTP/1.1\r\nHost: local");
  CHECK(client.response().status == 408);
  CHECK(client.ended());
}

TEST_CASE("a connection on which nothing comes is closed without a word") {
  ServerSettings settings;
  settings.limits.header_time = milliseconds(20);
  World world(settings);
  CHECK(Client(world).ended());
}

TEST_CASE("a connection that is idle between requests is closed") {
  ServerSettings settings;
  settings.limits.idle_time = milliseconds(20);
  World world(settings);
  Client client(world);
  CHECK(client.get("/healthz").status == 200);
  CHECK(client.ended());
}

TEST_CASE("a body that comes too slowly is refused") {
  ServerSettings settings;
  settings.limits.body_grace = milliseconds(20);
  World world(settings);
  Client client(world);
  client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  CHECK(client.response().status == 408);
  CHECK(client.ended());
}

TEST_CASE("waiting for an answer is no idling") {
  ServerSettings settings;
  settings.limits.idle_time = milliseconds(1);
  settings.limits.header_time = milliseconds(1'000);
  settings.limits.body_grace = milliseconds(1);
  World world(settings);
  Client client(world);
  client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nlater");
  world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.kept.size() == 1; });
  Client other(world);
  CHECK(other.get("/healthz").status == 200);
  CHECK(other.ended());  // So its idle time is over, and the first one's would be too.
  world.release(1, "now");
  CHECK(client.response().body == "now");
}

TEST_CASE("a client that does not read its answer is dropped") {
  ServerSettings settings;
  settings.limits.write_time = milliseconds(20);
  World world(settings);
  Client client(world.port(), 4096);
  client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13\r\n\r\nlong 20000000");
  world.eventually([](Server& server, FakeDispatcher& dispatcher) {
    return dispatcher.bodies == 1 && server.connections() == 0;
  });
}

TEST_CASE("a client that takes its answer too slowly is dropped, though it takes some of it") {
  ServerSettings settings;
  settings.limits.write_time = milliseconds(50);
  settings.limits.bytes_per_second = std::numeric_limits<std::size_t>::max();
  World world(settings);
  Client client(world);
  client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\nlong 100000000");
  // The pauses let the server come to where it waits for the client, however the two are scheduled.
  CHECK(client.bytes_to_the_end(milliseconds(1)) < 100'000'000);
  world.on_loop([](Server& server, FakeDispatcher& dispatcher) {
    CHECK(dispatcher.bodies == 1);
    CHECK(server.counters().dropped == 1);
  });
}

TEST_CASE("requests sent ahead without end are not read without end") {
  World world;
  Client client(world);
  client.send("POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nlater");
  world.eventually([](Server&, FakeDispatcher& dispatcher) { return dispatcher.kept.size() == 1; });
  const std::string ahead =
      "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'a');
  for (int i = 0; i < 5; ++i) client.send(ahead);
  world.on_loop([](Server& server, FakeDispatcher& dispatcher) {
    CHECK(dispatcher.bodies == 1);
    CHECK(server.counters().bytes_received < 600'000);
  });
  world.release(1, "now");
  CHECK(client.response().body == "now");
  for (int i = 0; i < 5; ++i) CHECK(client.response().body.size() == 200'000);
}

TEST_CASE("connections beyond the bound are told to come back later") {
  ServerSettings settings;
  settings.limits.connections = 2;
  World world(settings);
  Client first(world);
  CHECK(first.get("/healthz").status == 200);
  Client second(world);
  CHECK(second.get("/healthz").status == 200);
  Client third(world);
  const Response response = third.get("/healthz");
  CHECK(response.status == 503);
  CHECK(response.header("Retry-After") == "1");
  CHECK(third.ended());
  third.close();
  first.close();
  world.eventually([](Server& server, FakeDispatcher&) { return server.connections() == 1; });
  CHECK(Client(world).get("/healthz").status == 200);
}

TEST_CASE("accepting goes on when descriptors are free again") {
  ServerSettings settings;
  settings.limits.accept_pause = milliseconds(1);
  World world(settings);
  CHECK(Client(world).get("/healthz").status == 200);
  world.eventually([](Server& server, FakeDispatcher&) { return server.connections() == 0; });
  NoDescriptors none;
  none.free_one();
  Client client(world);
  client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (int turn = 0; turn < 100; ++turn) CHECK(world.connections() == 0);
  none.free_one();
  CHECK(client.response().status == 200);
}
