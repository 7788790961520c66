// What calls cost through the SDK and daemons that run already.
//
//     call_bench latency PORT ROUNDS            one call at a time; p50, p99 and p99.9 in microseconds
//     call_bench rate PORT COUNT WINDOW SIZE    WINDOW calls in flight, each with a text of SIZE bytes; calls
//     a second call_bench chain PORT PORT ROUNDS         a chain of 8 agents alternating over two nodes; one
//     hop call_bench fan PORT ROUNDS                64 calls to as many agents, and one that joins them; a
//     round

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include <agentd/client.hpp>

#include "tests/bench/report.hpp"

namespace {

using agentd::AgentRef;
using agentd::Message;
using agentd::bench::Times;

AgentRef echo_on(int port) {
  return agentd::remote("echo", {.host = "127.0.0.1", .port = static_cast<std::uint16_t>(port)});
}

/// An empty answer is none.
void require(const Message& answer) {
  if (answer.raw_content().empty()) std::abort();
}

void latency(int port, int rounds) {
  const AgentRef echo = echo_on(port);
  Times times;
  for (int i = 0; i < rounds; ++i) times.measure([&] { require(echo("hello, tide")); });
  times.print();
}

void rate(int port, int count, int window, int size) {
  const AgentRef echo = echo_on(port);
  const std::string text = size > 0 ? std::string(static_cast<std::size_t>(size), 'x') : "hello, tide";
  std::deque<Message> open;
  const auto start = agentd::bench::Clock::now();
  for (int i = 0; i < count; ++i) {
    open.push_back(echo(text));
    if (static_cast<int>(open.size()) < window) continue;
    require(open.front());
    open.pop_front();
  }
  for (const Message& message : open) require(message);
  agentd::bench::print_rate(count, start);
}

void chain(int first, int second, int rounds) {
  constexpr int hops = 8;
  std::vector<AgentRef> agents;
  for (int i = 0; i < hops; ++i) agents.push_back(echo_on(i % 2 == 0 ? first : second));
  Times times;
  for (int i = 0; i < rounds; ++i) {
    times.measure([&] {
      Message x = "hello, tide";
      for (const AgentRef& agent : agents) x = agent(x);
      require(x);
    });
  }
  times.print(1.0 / hops);
}

void fan(int port, int rounds) {
  constexpr int width = 64;
  std::vector<AgentRef> agents;
  for (int i = 0; i < width; ++i) agents.push_back(echo_on(port));
  const AgentRef joiner = echo_on(port);
  Times times;
  for (int i = 0; i < rounds; ++i) {
    times.measure([&] {
      std::vector<Message> answers;
      for (const AgentRef& agent : agents) answers.push_back(agent("hello, tide"));
      require(joiner(Message::inputs(std::move(answers))));
    });
  }
  times.print();
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string what = argc > 1 ? argv[1] : "";
  const auto number = [&](int i) { return argc > i ? std::atoi(argv[i]) : 0; };
  if (what == "latency") return latency(number(2), number(3)), 0;
  if (what == "rate") return rate(number(2), number(3), number(4), number(5)), 0;
  if (what == "chain") return chain(number(2), number(3), number(4)), 0;
  if (what == "fan") return fan(number(2), number(3)), 0;
  std::fprintf(stderr,
               "call_bench: latency PORT ROUNDS | rate PORT COUNT WINDOW [SIZE] | chain PORT PORT ROUNDS |"
               " fan PORT ROUNDS\n");
  return 64;
} catch (const std::exception& error) {
  std::fprintf(stderr, "call_bench: %s\n", error.what());
  return 1;
}
