#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <vector>

#include <agentd/client.hpp>

#include "sdk/agentctl/command.hpp"
#include "sdk/agentctl/fields.hpp"
#include "sdk/agentctl/table.hpp"
#include "sdk/agentctl/values.hpp"
#include "sdk/src/create.hpp"

/// Calls a second, through the SDK as any program would make them.
namespace agentd::ctl {
namespace {

using Clock = std::chrono::steady_clock;

/// A mailbox holds 10,000 calls unless told otherwise.
constexpr std::uint32_t most_in_flight = 10'000;
constexpr std::uint32_t most_calls = 10'000'000;
constexpr std::chrono::seconds longest_bench{60};
constexpr std::chrono::seconds call_deadline{30};

struct BenchOptions {
  std::string type = "echo";
  std::string args;
  std::uint32_t in_flight = 1000;
  std::uint32_t calls = 20'000;
};

struct Measured {
  std::vector<float> latencies_ms;
  double seconds = 0;
  std::uint64_t failed = 0;
};

/// An agent for the length of a measurement.
class BenchAgent {
public:
  BenchAgent(Client& client, const BenchOptions& options)
      : client_(client), id_("bench-" + sdk::mint_agent_id(options.type)) {
    const std::string args = options.args.empty() ? "" : read_json("--args", options.args);
    (void)client_.ask(
        "agent.create",
        object({{"type", json_string(options.type)}, {"agent", json_string(id_)}, {"args", args}}));
  }
  ~BenchAgent() {
    try {
      (void)client_.ask("agent.delete", object({{"agent", json_string(id_)}}));
    } catch (const Error&) {
      // The node is gone, and the agent with it; why has been told.
    }
  }
  BenchAgent(const BenchAgent&) = delete;
  BenchAgent& operator=(const BenchAgent&) = delete;

  [[nodiscard]] const std::string& id() const { return id_; }

private:
  Client& client_;
  const std::string id_;
};

/// Keeps so many calls in flight until all are made, a call failed, or time is up; then waits for
/// those that are left.
class Bench {
public:
  Bench(AgentRef agent, const BenchOptions& options)
      : agent_(std::move(agent)), options_(options), slots_(options.in_flight) {
    measured_.latencies_ms.reserve(options.calls);
  }

  Measured run() {
    const auto begin = Clock::now();
    for (std::uint32_t made = 0; made < options_.calls; ++made) {
      slots_.acquire();
      if (stop_ || Clock::now() - begin > longest_bench) {
        slots_.release();
        break;
      }
      call();
    }
    for (std::uint32_t i = 0; i < options_.in_flight; ++i) slots_.acquire();
    if (first_error_ && measured_.latencies_ms.empty()) throw Error(*first_error_);
    measured_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return std::move(measured_);
  }

  [[nodiscard]] const std::optional<Error>& first_error() const { return first_error_; }

private:
  void call() {
    const Message input("ping");
    const auto begin = Clock::now();
    agent_.call("reply", input, {.deadline = call_deadline}).then([this, begin](const Message& answer) {
      settled(answer, std::chrono::duration<float, std::milli>(Clock::now() - begin).count());
      slots_.release();
    });
  }

  void settled(const Message& answer, float latency_ms) {
    const Error* error = answer.error();
    const std::lock_guard lock(mutex_);
    if (error == nullptr) {
      measured_.latencies_ms.push_back(latency_ms);
      return;
    }
    ++measured_.failed;
    if (!first_error_) first_error_ = *error;
    stop_ = true;
  }

  AgentRef agent_;
  const BenchOptions& options_;
  std::counting_semaphore<most_in_flight> slots_;
  std::atomic<bool> stop_{false};
  /// Held for a moment only, by the session's thread mostly: a call may also settle where it is made.
  std::mutex mutex_;
  Measured measured_;
  std::optional<Error> first_error_;
};

float percentile(const std::vector<float>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

void show(const Output& output, const BenchOptions& options, Measured measured) {
  auto& latencies = measured.latencies_ms;
  std::sort(latencies.begin(), latencies.end());
  const std::string calls = std::to_string(latencies.size());
  const std::string rate = fixed(static_cast<double>(latencies.size()) / measured.seconds, 0);
  const std::string p50 = fixed(percentile(latencies, 0.5), 3);
  const std::string p99 = fixed(percentile(latencies, 0.99), 3);
  if (output.json()) {
    return output.line(object({{"agent_type", json_string(options.type)},
                               {"calls", calls},
                               {"failed", std::to_string(measured.failed)},
                               {"in_flight", std::to_string(options.in_flight)},
                               {"seconds", fixed(measured.seconds, 3)},
                               {"calls_per_s", rate},
                               {"p50_ms", p50},
                               {"p99_ms", p99}}));
  }
  Table table({});
  table.add(
      {"calls", calls + " to one " + options.type + ", " + std::to_string(options.in_flight) + " in flight"});
  table.add({"failed", std::to_string(measured.failed)});
  table.add({"time", fixed(measured.seconds, 3) + " s"});
  table.add({"rate", rate + " calls/s"});
  table.add({"p50", p50 + " ms"});
  table.add({"p99", p99 + " ms"});
  output.text(table.text(false));
}

Exit bench(Context& context, const BenchOptions& options) {
  const NodeAddress& node = context.client.node();
  if (!context.client.token().empty()) set_token({node.host, node.port}, context.client.token());
  const BenchAgent agent(context.client, options);
  Bench bench(attach(agent.id(), {node.host, node.port}), options);
  Measured measured = bench.run();
  show(context.output, options, std::move(measured));
  if (!bench.first_error()) return Exit::ok;
  context.output.error(*bench.first_error());
  return exit_of(*bench.first_error());
}

}  // namespace

void add_bench_command(Commands& commands) {
  CLI::App& command = commands.add(
      "bench",
      "Make an agent, call it as fast as it answers, and delete it: calls a second, and how long\n"
      "half of the calls (p50) and nearly all (p99) took. Stops at the first call that fails, and\n"
      "makes calls for a minute at most.",
      "  agentctl bench\n"
      "  agentctl bench --in-flight 1 --calls 5000\n"
      "  agentctl bench --agent-type burner --args '{\"iterations\": 1000}' --calls 2000 -o json\n");
  const auto options = std::make_shared<BenchOptions>();
  add_text(command, "--agent-type", options->type, "TYPE", "The agent's type [echo]");
  add_text(command, "--args", options->args, "JSON", "The agent's arguments: a JSON object");
  command.add_option("--in-flight", options->in_flight, "How many calls are under way at once [1000]")
      ->type_name("N")
      ->check(CLI::Range(std::uint32_t{1}, most_in_flight));
  command.add_option("--calls", options->calls, "How many calls in all [20000]")
      ->type_name("N")
      ->check(CLI::Range(std::uint32_t{1}, most_calls));
  command.callback([&commands, options] {
    commands.chosen = [options](Context& context) { return bench(context, *options); };
  });
}

}  // namespace agentd::ctl
