#include <algorithm>
#include <chrono>

#include "daemon/agents/args.hpp"
#include "daemon/agents/content.hpp"
#include "daemon/agents/types.hpp"

namespace agentd::agents {
namespace {

/// Longer than any call may take, and within what nanoseconds can count.
constexpr double longest_sleep = 1e9;

std::chrono::nanoseconds duration_of(double seconds) {
  const std::chrono::duration<double> duration(std::min(seconds, longest_sleep));
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration);
}

class Sleeper : public Agent {
public:
  explicit Sleeper(const Json& args)
      : duration_(duration_of(Args("sleeper", args, {"seconds"}).number_from_zero("seconds"))) {}

  Task<Message> reply_async(Message input) override {
    co_await this_call::sleep(duration_);
    co_return content_of(input);
  }

  static void describe(TypeOf<Sleeper>& type) {
    type.description("Waits, holding no thread meanwhile, then answers with its input's content");
    type.args_schema(agents::args_schema(
        {{"seconds", {{"type", "number"}, {"minimum", 0}, {"description", "how long to wait"}}}},
        {"seconds"}));
    type.idempotent();
  }

private:
  std::chrono::nanoseconds duration_;
};

}  // namespace

AgentType sleeper_type() { return agent_type<Sleeper>("sleeper"); }

}  // namespace agentd::agents
