// The limit of the machine: a WebSocket echo with Beast alone, no agents, no JSON-RPC logic.
//
//     raw_echo serve                     prints its port; echoes until its standard input ends
//     raw_echo latency PORT ROUNDS       one message at a time; prints p50 and p99 in microseconds
//     raw_echo rate PORT COUNT WINDOW    32 messages a frame, WINDOW in flight, each read with simdjson
//                                        and answered with a formatted one; prints messages a second

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <simdjson.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using WebSocket = beast::websocket::stream<tcp::socket>;
using Clock = std::chrono::steady_clock;

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

int serve() {
  asio::io_context context;
  tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 0});
  std::printf("%u\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  std::thread([] {
    while (std::getchar() != EOF) {
    }
    std::_Exit(0);
  }).detach();
  for (;;) {
    WebSocket ws(acceptor.accept());
    ws.next_layer().set_option(tcp::no_delay(true));
    beast::error_code error;
    ws.accept(error);
    simdjson::ondemand::parser parser;
    while (!error) {
      beast::flat_buffer buffer;
      ws.read(buffer, error);
      if (error) break;
      ws.text(true);
      if (static_cast<const char*>(buffer.cdata().data())[0] == '[') {
        ws.write(asio::buffer(answer(parser, buffer)), error);
      } else {
        ws.write(buffer.cdata(), error);
      }
    }
  }
}

WebSocket connect(asio::io_context& context, unsigned short port) {
  WebSocket ws(context);
  ws.next_layer().connect({asio::ip::make_address("127.0.0.1"), port});
  ws.next_layer().set_option(tcp::no_delay(true));
  ws.handshake("127.0.0.1", "/");
  ws.text(true);
  ws.auto_fragment(false);
  return ws;
}

int latency(unsigned short port, int rounds) {
  asio::io_context context;
  WebSocket ws = connect(context, port);
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const std::string text = message(i);
    const auto start = Clock::now();
    ws.write(asio::buffer(text));
    beast::flat_buffer buffer;
    ws.read(buffer);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("{\"p50_us\":%.1f,\"p99_us\":%.1f}\n", times[times.size() / 2], times[times.size() * 99 / 100]);
  return 0;
}

int rate(unsigned short port, int count, int window) {
  asio::io_context context;
  WebSocket ws = connect(context, port);
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
    if (sum < 0) return 1;
    if (sent < frames) send();
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf("{\"per_second\":%.0f}\n", frames * batch / seconds);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const auto number = [&](int i) { return argc > i ? std::atoi(argv[i]) : 0; };
  if (what == "serve") return serve();
  if (what == "latency") return latency(static_cast<unsigned short>(number(2)), number(3));
  if (what == "rate") return rate(static_cast<unsigned short>(number(2)), number(3), number(4));
  std::fprintf(stderr, "raw_echo: serve | latency PORT ROUNDS | rate PORT COUNT WINDOW\n");
  return 64;
}
