#include <cstdint>
#include <limits>
#include <string>

#include "common/json/text.hpp"
#include "daemon/agents/args.hpp"
#include "daemon/agents/content.hpp"
#include "daemon/agents/sha256.hpp"
#include "daemon/agents/types.hpp"

namespace agentd::agents {
namespace {

/// Answers with a digest of all it was ever given to reply to, in order: two transcripts that agree were
/// given the same inputs in the same order. What it observes leaves no trace.
class Transcript : public Agent {
public:
  explicit Transcript(const Json& args) : name_(Args("transcript", args, {"name"}).text("name")) {}

  Message reply(const Message& input) override {
    digest_ = hex(Sha256().of(digest_ + json::canonical(input.raw_content())));
    ++count_;
    std::string answer = R"({"by":)";
    json::append_string(answer, name_);
    answer += R"(,"n":)" + std::to_string(count_) + R"(,"digest":")" + digest_ + "\"}";
    return from_text(std::move(answer));
  }

  [[nodiscard]] Json save() const override { return {{"n", count_}, {"digest", digest_}}; }
  void restore(const Json& state) override {
    const Args read("a transcript's state", state, {"n", "digest"});
    count_ = read.integer("n", 0, std::numeric_limits<std::int64_t>::max());
    digest_ = read.text("digest");
  }

  static void describe(TypeOf<Transcript>& type) {
    type.description(
        "Answers {by, n, digest}: its name, how many calls of reply, and a digest of their inputs");
    type.args_schema(
        agents::args_schema({{"name", {{"type", "string"}, {"description", "what \"by\" says"}}}}, {"name"}));
    type.quick();
  }

private:
  std::string name_;
  std::int64_t count_ = 0;
  /// Hex; empty before the first call.
  std::string digest_;
};

}  // namespace

AgentType transcript_type() { return agent_type<Transcript>("transcript"); }

}  // namespace agentd::agents
