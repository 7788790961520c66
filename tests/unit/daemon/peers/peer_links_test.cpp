#include "daemon/peers/peer_links.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>

#include "common/async/loops.hpp"
#include "daemon/http/server.hpp"
#include "daemon/rpc/dispatcher.hpp"

namespace agentd::peers {

namespace {

using namespace std::chrono_literals;

/// A node's links, of which none may be dialled: a call that is sent comes back refused, one that is held
/// does not.
struct Held {
  struct Told {
    std::string call;
    Error error;
  };

  Held() {
    PeerSettings settings;
    settings.self = {"here", 1};
    links.emplace(loop, std::move(settings));
  }

  CallId call(const Message& input, std::chrono::milliseconds deadline = 1h, const std::string& agent = "x") {
    runtime::ForeignCall call;
    call.agent = {{"10.255.255.1", 9}, agent};
    call.method = "reply";
    call.call = CallId::mint();
    call.input = input;
    call.deadline = std::chrono::steady_clock::now() + deadline;
    call.caller = "here:1/f";
    const CallId id = call.call;
    links->call(
        std::move(call),
        [this, id](const runtime::Outcome& outcome) {
          told.push_back({std::string(id.text()), outcome ? Error() : outcome.error()});
        },
        nullptr);
    return id;
  }

  void settle() {
    for (int i = 0; i < 100; ++i) loop.run_once(0ms);
  }
  bool until_told(std::size_t count) {
    const auto limit = std::chrono::steady_clock::now() + 30s;
    while (told.size() < count && std::chrono::steady_clock::now() < limit) loop.run_once(2ms);
    return told.size() == count;
  }

  async::Loop loop;
  std::vector<Told> told;
  std::optional<PeerLinks> links;
};

/// What has no value and no place where another node could ask for it.
struct Late {
  std::shared_ptr<detail::Cell> cell = std::make_shared<detail::Cell>();
  Message message{cell};
  /// Whoever waits for a cell is kept until it settles.
  ~Late() { settle(); }
  void settle() const {
    detail::MessageData data;
    data.content = detail::SharedText("1");
    cell->settle(std::move(data));
  }
};

}  // namespace

TEST_CASE("a call whose input nobody else can ask for is held until it is there, and those behind it too") {
  Held held;
  const Late late;
  const CallId first = held.call(late.message);
  const CallId second = held.call(Message(2));
  const CallId elsewhere = held.call(Message(3), 1h, "y");
  held.settle();
  REQUIRE(held.told.size() == 1);
  CHECK(held.told[0].call == elsewhere.text());
  late.settle();
  held.settle();
  REQUIRE(held.told.size() == 3);
  CHECK(held.told[1].call == first.text());
  CHECK(held.told[2].call == second.text());
  CHECK(held.told[2].error.kind() == ErrorKind::peer_refused);
}

TEST_CASE("a held call fails at its deadline, and those behind it go") {
  Held held;
  const Late late;
  const CallId first = held.call(late.message, 20ms);
  held.call(Message(2));
  REQUIRE(held.until_told(2));
  CHECK(held.told[0].call == first.text());
  CHECK(held.told[0].error.kind() == ErrorKind::deadline_exceeded);
  CHECK(held.told[0].error.call() == first.text());
  CHECK(held.told[0].error.agent() == "x");
  CHECK(held.told[1].error.kind() == ErrorKind::peer_refused);
  late.settle();
  held.settle();
  CHECK(held.told.size() == 2);
}

TEST_CASE("a call that is held behind another fails at its own deadline") {
  Held held;
  const Late late;
  held.call(late.message);
  const CallId second = held.call(Message(2), 20ms);
  REQUIRE(held.until_told(1));
  CHECK(held.told[0].call == second.text());
  CHECK(held.told[0].error.kind() == ErrorKind::deadline_exceeded);
}

TEST_CASE("a held call that is cancelled is not sent") {
  Held held;
  const Late late;
  const CallId first = held.call(late.message);
  held.links->cancel({{"10.255.255.1", 9}, first});
  held.settle();
  REQUIRE(held.told.size() == 1);
  CHECK(held.told[0].error.kind() == ErrorKind::cancelled);
  late.settle();
  held.settle();
  CHECK(held.told.size() == 1);
}

TEST_CASE("a held call fails with the first of its inputs that does, wherever it stands in its lane") {
  Held held;
  const Late head;
  const Late one;
  const Late two;
  held.call(head.message);
  const CallId join = held.call(Message::inputs({one.message, two.message}));
  one.cell->fail(Error(ErrorKind::agent_failed, "no"));
  held.settle();
  REQUIRE(held.told.size() == 1);
  CHECK(held.told[0].call == join.text());
  CHECK(held.told[0].error.kind() == ErrorKind::input_failed);
  CHECK(held.told[0].error.root().message() == "no");
}

TEST_CASE("links that stop fail what they hold") {
  Held held;
  const Late late;
  held.call(late.message);
  held.links->stop();
  REQUIRE(held.told.size() == 1);
  CHECK(held.told[0].error.kind() == ErrorKind::shutting_down);
  held.call(late.message);
  held.settle();
  REQUIRE(held.told.size() == 2);
  CHECK(held.told[1].error.kind() == ErrorKind::shutting_down);
}

namespace {

using Tcp = boost::asio::ip::tcp;

/// Links to at most two nodes on loopback: `dead`, where nobody listens, and others that never answer.
struct Few {
  Few() {
    PeerSettings settings;
    settings.self = {"here", 1};
    settings.most_links = 2;
    settings.give_up_after = 1h;
    links.emplace(loop, std::move(settings));
  }

  NodeAddress silent() {
    auto& acceptor = *acceptors.emplace_back(std::make_unique<Tcp::acceptor>(
        loop.context(), Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)));
    return {"127.0.0.1", acceptor.local_endpoint().port()};
  }
  /// Asks for a call there; its place in `told` gets an error when there is one.
  std::size_t ask(const NodeAddress& node) { return ask_for({node, CallId::mint()}); }
  std::size_t ask_for(const Placeholder& placeholder) {
    const std::size_t place = told.size();
    told.emplace_back();
    interests.push_back(
        links->watch(placeholder, std::chrono::steady_clock::now() + 1h,
                     [this, place](const runtime::Outcome& outcome) { told[place] = outcome.error(); }));
    for (int i = 0; i < 8; ++i) loop.run_once(0ms);
    return place;
  }

  async::Loop loop;
  std::vector<std::unique_ptr<Tcp::acceptor>> acceptors;
  std::deque<std::optional<Error>> told;
  std::optional<PeerLinks> links;
  std::vector<PeerLinks::Interest> interests;
};

}  // namespace

TEST_CASE("a node from which nobody wants anything any more gives way to others") {
  Few few;
  const Placeholder wanted{few.silent(), CallId::mint()};
  const std::size_t first = few.ask_for(wanted);
  const std::size_t second = few.ask_for(wanted);
  few.ask(few.silent());
  const NodeAddress other = few.silent();
  const auto refused = [&] { return few.told[few.ask(other)].has_value(); };
  CHECK(refused());
  few.interests[first].reset();
  CHECK(refused());
  few.interests[second].reset();
  CHECK_FALSE(refused());
  CHECK_FALSE(few.told[first]);
  CHECK_FALSE(few.told[second]);
  few.links->stop();
}

TEST_CASE("of one id at two nodes, each gives way when nobody wants its outcome") {
  Few few;
  const CallId id = CallId::mint();
  const std::size_t first = few.ask_for({few.silent(), id});
  const std::size_t second = few.ask_for({few.silent(), id});
  few.interests[first].reset();
  CHECK_FALSE(few.told[few.ask(few.silent())]);
  few.interests[second].reset();
  CHECK_FALSE(few.told[few.ask(few.silent())]);
  few.links->stop();
}

TEST_CASE("a node that was never reached gives way to others, and one that may yet answer does not") {
  Few few;
  Tcp::socket bound(few.loop.context(), Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  const std::size_t first = few.ask(few.silent());
  const std::size_t dead = few.ask({"127.0.0.1", bound.local_endpoint().port()});
  const NodeAddress real = few.silent();
  std::size_t asked = few.ask(real);
  const auto limit = std::chrono::steady_clock::now() + 30s;
  while (few.told[asked] && std::chrono::steady_clock::now() < limit) {
    CHECK(few.told[asked]->kind() == ErrorKind::overloaded);
    few.loop.run_once(2ms);
    asked = few.ask(real);
  }
  CHECK_FALSE(few.told[asked]);
  REQUIRE(few.told[dead]);
  CHECK(few.told[dead]->kind() == ErrorKind::peer_unreachable);
  CHECK_FALSE(few.told[first]);
  CHECK(few.links->links() == 2);

  const NodeAddress one_more = few.silent();
  const std::size_t refused = few.ask(one_more);
  REQUIRE(few.told[refused]);
  CHECK(few.told[refused]->kind() == ErrorKind::overloaded);
  CHECK(few.told[refused]->details().at("limit") == "peers");
  CHECK(few.told[refused]->message().find(one_more.text()) != std::string::npos);
  few.links->stop();
}

TEST_CASE("a call that is too large for a frame fails, and is not sent again and again") {
  Few few;
  runtime::ForeignCall call;
  call.agent = {few.silent(), "x"};
  call.method = "reply";
  call.call = CallId::mint();
  const Message large(std::string(800'000, 'x'));
  call.input = Message::inputs({large, large, large});
  call.deadline = std::chrono::steady_clock::now() + 1h;
  std::optional<Error> told;
  few.links->call(
      std::move(call), [&](const runtime::Outcome& outcome) { told = outcome.error(); }, nullptr);
  for (int i = 0; i < 8; ++i) few.loop.run_once(0ms);
  REQUIRE(told);
  CHECK(told->kind() == ErrorKind::invalid_params);
  CHECK(told->details().at("limit") == "input");
}

namespace {

/// A node, played by hand, whose calls are all done, and which never has room for their values.
struct Stuffed : rpc::Dispatcher {
  explicit Stuffed(async::Loops& loops) : server(loops, {this}, {}) { REQUIRE(server.listen().has_value()); }

  Interest handle_body(std::string_view, Answer) override { return nullptr; }
  void handle_frame(const std::shared_ptr<rpc::Channel>& channel, std::string_view text) override {
    const Json frame = Json::parse(text);
    for (const Json& message : frame.is_array() ? frame : Json::array({frame})) take(*channel, message);
    channel->sent();
  }
  void channel_closed(const rpc::Channel&) override {}
  [[nodiscard]] const std::string& openrpc() const override { return none; }
  [[nodiscard]] std::string metrics() const override { return none; }
  [[nodiscard]] bool ready() const override { return true; }
  [[nodiscard]] const std::string& boot() const override { return none; }

  void take(rpc::Channel& channel, const Json& message) {
    if (message["method"] == "call.subscribe") {
      answer(channel, message, "result", Json::object());
      for (const Json& call : message["params"]["calls"]) {
        say(channel, {{"method", "call.settled"}, {"params", {{"call", call}, {"state", "done"}}}});
      }
    } else if (message["method"] == "call.get") {
      ++asked[message["params"]["call"]];
      answer(
          channel, message, "error",
          {{"code", -32013}, {"message", "full"}, {"data", {{"kind", "overloaded"}, {"retryable", true}}}});
    }
  }
  static void answer(rpc::Channel& channel, const Json& message, const char* member, const Json& value) {
    say(channel, {{"id", message["id"]}, {member, value}});
  }
  static void say(rpc::Channel& channel, Json message) {
    message["jsonrpc"] = "2.0";
    channel.outbox().begin() += message.dump();
    channel.outbox().end();
  }

  std::string none = "none";
  /// How often for each call.
  std::map<std::string, int> asked;
  http::Server server;
};

}  // namespace

TEST_CASE("a value that the other node never has room to send ends by the deadline, and says so") {
  async::Loops loops(1);
  async::Loop& loop = loops[0];
  Stuffed stuffed(loops);
  PeerSettings settings;
  settings.self = {"here", 1};
  PeerLinks links(loop, std::move(settings));
  std::optional<Error> told;
  const auto interest =
      links.watch({stuffed.server.listening(), CallId::mint()}, std::chrono::steady_clock::now() + 120ms,
                  [&](const runtime::Outcome& outcome) { told = outcome.error(); });
  const auto limit = std::chrono::steady_clock::now() + 30s;
  while (!told && std::chrono::steady_clock::now() < limit) loop.run_once(2ms);
  REQUIRE(told);
  CHECK(told->kind() == ErrorKind::deadline_exceeded);
  CHECK_FALSE(told->retryable());
  CHECK(told->node() == stuffed.server.listening().text());
  CHECK(stuffed.asked.size() == 1);
  CHECK(links.links() == 1);
  const auto sent = links.bytes_sent();
  const auto received = links.bytes_received();
  CHECK(sent > 0);
  CHECK(received > 0);
  links.stop();
  CHECK(links.links() == 0);
  CHECK(links.bytes_sent() == sent);
  CHECK(links.bytes_received() == received);
}

TEST_CASE("a value that is left out is asked for as long as somebody wants it") {
  async::Loops loops(1);
  async::Loop& loop = loops[0];
  Stuffed stuffed(loops);
  PeerSettings settings;
  settings.self = {"here", 1};
  PeerLinks links(loop, std::move(settings));
  const auto watch = [&](const CallId& call) {
    return links.watch({stuffed.server.listening(), call}, std::chrono::steady_clock::now() + 1h,
                       [](const runtime::Outcome&) {});
  };
  const auto asked = [&](const CallId& call) -> int& { return stuffed.asked[std::string(call.text())]; };
  const auto until_asked = [&](const CallId& call, int times) {
    const auto limit = std::chrono::steady_clock::now() + 30s;
    while (asked(call) < times && std::chrono::steady_clock::now() < limit) loop.run_once(2ms);
    REQUIRE(asked(call) >= times);
  };
  const CallId given_up = CallId::mint();
  const CallId wanted = CallId::mint();
  auto interest = watch(given_up);
  const auto other = watch(wanted);
  until_asked(given_up, 2);
  interest.reset();
  const int before = asked(given_up);
  until_asked(wanted, asked(wanted) + 4);
  // One may have been on its way.
  CHECK(asked(given_up) <= before + 1);
  links.stop();
}

}  // namespace agentd::peers
