#include <cstdint>

#include "common/json/text.hpp"
#include "daemon/agents/args.hpp"
#include "daemon/agents/content.hpp"
#include "daemon/agents/sha256.hpp"
#include "daemon/agents/types.hpp"

namespace agentd::agents {
namespace {

constexpr std::int64_t most_iterations = 1'000'000'000;

/// How often to ask whether anybody still waits: every half millisecond or so.
constexpr std::int64_t iterations_between_looks = 1024;

class Burner : public Agent {
public:
  explicit Burner(const Json& args)
      : iterations_(Args("burner", args, {"iterations"}).integer("iterations", 1, most_iterations)) {}

  Message reply(const Message& input) override {
    Sha256 sha;
    Sha256::Digest digest = sha.of(json::canonical(input.raw_content()));
    for (std::int64_t done = 1; done < iterations_; ++done) {
      if (done % iterations_between_looks == 0) look_up(done);
      digest = sha.of(digest);
    }
    return from_text('"' + hex(digest) + '"');
  }

  static void describe(TypeOf<Burner>& type) {
    type.description("Keeps a core busy: a chain of SHA-256 from its input's content, answered in hex");
    type.args_schema(agents::args_schema({{"iterations",
                                           {{"type", "integer"},
                                            {"minimum", 1},
                                            {"maximum", most_iterations},
                                            {"description", "how many SHA-256 in a chain"}}}},
                                         {"iterations"}));
    type.idempotent();
  }

private:
  static void look_up(std::int64_t done) {
    if (!this_call::cancelled()) return;
    throw Error(ErrorKind::cancelled, "the call was given up after " + std::to_string(done) + " iterations");
  }

  std::int64_t iterations_;
};

}  // namespace

AgentType burner_type() { return agent_type<Burner>("burner"); }

}  // namespace agentd::agents
