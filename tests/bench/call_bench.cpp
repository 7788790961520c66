// What calls cost through the SDK and daemons that run already.
//
//     call_bench latency PORT ROUNDS          one call at a time; p50 and p99 in microseconds
//     call_bench rate PORT COUNT WINDOW       WINDOW calls in flight; calls a second
//     call_bench chain PORT PORT ROUNDS       a chain of 8 agents alternating over two nodes; p50 of one hop

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include <agentd/client.hpp>

namespace {

using agentd::AgentRef;
using agentd::Message;
using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

AgentRef echo_on(int port) {
  return agentd::remote("echo", {.host = "127.0.0.1", .port = static_cast<std::uint16_t>(port)});
}

void print_times(std::vector<double> times, double share) {
  std::sort(times.begin(), times.end());
  std::printf("{\"p50_us\":%.1f,\"p99_us\":%.1f}\n", times[times.size() / 2] * share,
              times[times.size() * 99 / 100] * share);
}

void latency(int port, int rounds) {
  const AgentRef echo = echo_on(port);
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const auto start = Clock::now();
    if (echo("hello, tide").raw_content().empty()) std::abort();
    times.push_back(microseconds_since(start));
  }
  print_times(std::move(times), 1.0);
}

void rate(int port, int count, int window) {
  const AgentRef echo = echo_on(port);
  std::deque<Message> open;
  const auto start = Clock::now();
  for (int i = 0; i < count; ++i) {
    open.push_back(echo("hello, tide"));
    if (static_cast<int>(open.size()) < window) continue;
    if (open.front().raw_content().empty()) std::abort();
    open.pop_front();
  }
  for (const Message& message : open) message.wait();
  std::printf("{\"per_second\":%.0f}\n", count / microseconds_since(start) * 1e6);
}

void chain(int first, int second, int rounds) {
  constexpr int hops = 8;
  std::vector<AgentRef> agents;
  for (int i = 0; i < hops; ++i) agents.push_back(echo_on(i % 2 == 0 ? first : second));
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const auto start = Clock::now();
    Message x = "hello, tide";
    for (const AgentRef& agent : agents) x = agent(x);
    if (x.raw_content().empty()) std::abort();
    times.push_back(microseconds_since(start));
  }
  print_times(std::move(times), 1.0 / hops);
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string what = argc > 1 ? argv[1] : "";
  const auto number = [&](int i) { return argc > i ? std::atoi(argv[i]) : 0; };
  if (what == "latency") return latency(number(2), number(3)), 0;
  if (what == "rate") return rate(number(2), number(3), number(4)), 0;
  if (what == "chain") return chain(number(2), number(3), number(4)), 0;
  std::fprintf(stderr, "call_bench: latency PORT ROUNDS | rate PORT COUNT WINDOW | chain PORT PORT ROUNDS\n");
  return 64;
} catch (const std::exception& error) {
  std::fprintf(stderr, "call_bench: %s\n", error.what());
  return 1;
}
