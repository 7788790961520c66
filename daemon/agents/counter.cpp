#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

#include "common/json/text.hpp"
#include "daemon/agents/args.hpp"
#include "daemon/agents/content.hpp"
#include "daemon/agents/types.hpp"

namespace agentd::agents {
namespace {

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

/// An integer as it stands in JSON text: no fraction, no exponent, and within 64 bits.
std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

class Counter : public Agent {
public:
  explicit Counter(const Json& args) {
    const Args read("counter", args, {"start"});
    if (read.find("start")) sum_ = read.integer("start", least, most);
  }

  Message reply(const Message& input) override {
    add(step_of(json::trim(input.raw_content())));
    return from_text(std::to_string(sum_));
  }

  [[nodiscard]] Json save() const override { return {{"sum", sum_}}; }
  void restore(const Json& state) override {
    sum_ = Args("a counter's state", state, {"sum"}).integer("sum", least, most);
  }

  static void describe(TypeOf<Counter>& type) {
    type.description("Adds its input's integer content, or 1 for no input, and answers the sum").quick();
    type.args_schema(agents::args_schema(
        {{"start", {{"type", "integer"}, {"default", 0}, {"description", "the sum to begin with"}}}}));
  }

private:
  static std::int64_t step_of(std::string_view content) {
    if (content == "null") return 1;
    if (const auto number = integer_of(content)) return *number;
    throw std::invalid_argument("counter adds integers of 64 bits, such as 5 or -3, not " + shown(content));
  }

  void add(std::int64_t step) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(sum_, step, &sum)) {
      throw std::overflow_error("counter stands at " + std::to_string(sum_) + "; adding " +
                                std::to_string(step) + " would pass 64 bits");
    }
    sum_ = sum;
  }

  std::int64_t sum_ = 0;
};

}  // namespace

AgentType counter_type() { return agent_type<Counter>("counter"); }

}  // namespace agentd::agents
