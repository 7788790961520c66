// The limit of the machine: a WebSocket echo with Beast alone, no agents, no JSON-RPC logic.
//
//     raw_echo serve                         prints its port; echoes until its standard input ends
//     raw_echo serve-coalesced               the same, but writes when there is nothing more to read
//     raw_echo latency PORT ROUNDS           one message at a time; p50, p99 and p99.9 in microseconds
//     raw_echo rate PORT COUNT WINDOW        32 messages a frame, WINDOW in flight, each read with simdjson
//                                            and answered with a formatted one; messages a second
//     raw_echo plain PORT COUNT WINDOW SIZE  a message a frame and a write; SIZE 0: as in the others
//     raw_echo coalesced PORT COUNT WINDOW   a message a frame, and many a write

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <simdjson.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "tests/bench/coalescing.hpp"
#include "tests/bench/ends_with_input.hpp"
#include "tests/bench/report.hpp"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using agentd::bench::Clock;
using agentd::bench::Coalescing;
template <typename Stream>
using WebSocketOver = beast::websocket::stream<Stream>;
using WebSocket = WebSocketOver<tcp::socket>;

constexpr int batch = 32;

/// About a hundred bytes, and so is its answer.
std::string message(int id) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
         R"(,"method":"agent.call","params":{"agent":"echo-1","input":"hello, tide"}})";
}

/// Reads a batch with simdjson and formats an answer for each element, about as long as what came.
std::string answer(simdjson::ondemand::parser& parser, const beast::flat_buffer& buffer) {
  const auto data = buffer.cdata();
  const simdjson::padded_string text(static_cast<const char*>(data.data()), data.size());
  auto document = parser.iterate(text);
  std::string out = "[";
  for (auto element : document.get_array()) {
    auto object = element.get_object();
    const std::int64_t id = object["id"].get_int64();
    auto params = object["params"].get_object();
    const std::string_view agent = params["agent"].get_string();
    const std::string_view input = params["input"].get_string();
    if (out.size() > 1) out += ',';
    ((out += R"({"jsonrpc":"2.0","id":)") += std::to_string(id)) += R"(,"result":{"agent":")";
    (out += agent) += R"(","state":"done","role":"assistant","content":")";
    (out += input) += "\"}}";
  }
  return out += ']';
}

template <typename Stream>
void echo(WebSocketOver<Stream> ws) {
  beast::error_code error;
  ws.accept(error);
  simdjson::ondemand::parser parser;
  while (!error) {
    beast::flat_buffer buffer;
    ws.read(buffer, error);
    if (error) return;
    ws.text(true);
    if (static_cast<const char*>(buffer.cdata().data())[0] == '[') {
      ws.write(asio::buffer(answer(parser, buffer)), error);
    } else {
      ws.write(buffer.cdata(), error);
    }
  }
}

template <typename Stream>
int serve() {
  asio::io_context context;
  tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 0});
  std::printf("%u\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  agentd::bench::end_with_input();
  for (;;) {
    tcp::socket socket = acceptor.accept();
    socket.set_option(tcp::no_delay(true));
    echo(WebSocketOver<Stream>(std::move(socket)));
  }
}

template <typename Stream>
WebSocketOver<Stream> connect(asio::io_context& context, unsigned short port) {
  tcp::socket socket(context);
  socket.connect({asio::ip::make_address("127.0.0.1"), port});
  socket.set_option(tcp::no_delay(true));
  WebSocketOver<Stream> ws(std::move(socket));
  ws.handshake("127.0.0.1", "/");
  ws.text(true);
  ws.auto_fragment(false);
  return ws;
}

void latency(unsigned short port, int rounds) {
  asio::io_context context;
  WebSocket ws = connect<tcp::socket>(context, port);
  agentd::bench::Times times;
  for (int i = 0; i < rounds; ++i) {
    const std::string text = message(i);
    times.measure([&] {
      ws.write(asio::buffer(text));
      beast::flat_buffer buffer;
      ws.read(buffer);
    });
  }
  times.print();
}

template <typename Stream>
void single(unsigned short port, int count, int window, int size) {
  asio::io_context context;
  auto ws = connect<Stream>(context, port);
  const std::string text = size > 0 ? std::string(static_cast<std::size_t>(size), 'x') : message(0);
  const auto start = Clock::now();
  int sent = 0;
  const auto send = [&] {
    ws.write(asio::buffer(text));
    ++sent;
  };
  while (sent < std::min(window, count)) send();
  for (int received = 0; received < count; ++received) {
    beast::flat_buffer buffer;
    ws.read(buffer);
    if (sent < count) send();
  }
  agentd::bench::print_rate(count, start);
}

void rate(unsigned short port, int count, int window) {
  asio::io_context context;
  WebSocket ws = connect<tcp::socket>(context, port);
  simdjson::ondemand::parser parser;
  const int frames = count / batch, ahead = std::max(1, window / batch);
  int sent = 0;
  const auto send = [&] {
    std::string text = "[";
    for (int i = 0; i < batch; ++i) (text += i ? "," : "") += message(sent * batch + i);
    ws.write(asio::buffer(text += ']'));
    ++sent;
  };
  const auto start = Clock::now();
  while (sent < std::min(ahead, frames)) send();
  for (int received = 0; received < frames; ++received) {
    beast::flat_buffer buffer;
    ws.read(buffer);
    const auto data = buffer.cdata();
    const simdjson::padded_string text(static_cast<const char*>(data.data()), data.size());
    std::int64_t sum = 0;
    auto document = parser.iterate(text);
    for (auto element : document.get_array()) sum += element["id"].get_int64().value();
    if (sum < 0) std::abort();
    if (sent < frames) send();
  }
  agentd::bench::print_rate(frames * batch, start);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const auto number = [&](int i) { return argc > i ? std::atoi(argv[i]) : 0; };
  const auto port = static_cast<unsigned short>(number(2));
  if (what == "serve") return serve<tcp::socket>();
  if (what == "serve-coalesced") return serve<Coalescing>();
  if (what == "latency") return latency(port, number(3)), 0;
  if (what == "rate") return rate(port, number(3), number(4)), 0;
  if (what == "plain") return single<tcp::socket>(port, number(3), number(4), number(5)), 0;
  if (what == "coalesced") return single<Coalescing>(port, number(3), number(4), 0), 0;
  std::fprintf(stderr,
               "raw_echo: serve | serve-coalesced | latency PORT ROUNDS | rate PORT COUNT WINDOW |"
               " plain PORT COUNT WINDOW SIZE | coalesced PORT COUNT WINDOW\n");
  return 64;
}
