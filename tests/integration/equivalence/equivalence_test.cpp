#define CATCH_CONFIG_RUNNER
#include <cstdlib>
#include <iostream>
#include <random>

#include <catch2/catch.hpp>

#include "tests/integration/equivalence/deploy.hpp"
#include "tests/integration/equivalence/run.hpp"

using agentd::Json;

namespace {

/// A number from the environment, so that a failure can be run again.
std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

Json run_at(const World& world, const Program& program, Deployment deployment) {
  try {
    Move move;
    if (deployment == Deployment::mixed) move = [&](const agentd::AgentRef& agent) { world.move(agent); };
    return run(program, world.deploy(program, deployment), move);
  } catch (const std::exception& error) {
    return {{"the program ended with", error.what()}};
  }
}

bool differs(const World& world, const Program& program, Deployment deployment) {
  return run_at(world, program, Deployment::local) != run_at(world, program, deployment);
}

/// The program without what is not needed to see the difference. What only shows at times is kept where it
/// does not show in three runs.
Program smaller(const World& world, Program program, Deployment deployment) {
  for (Statement& statement : program.statements) {
    statement.skipped = true;
    bool seen = false;
    for (int i = 0; i < 3 && !seen; ++i) seen = differs(world, program, deployment);
    statement.skipped = seen;
  }
  return program;
}

/// The outcomes that differ, of both runs.
std::string differences(const Json& expected, const Json& found) {
  if (!expected.is_array() || !found.is_array()) return expected.dump() + "\n" + found.dump() + "\n";
  std::string text;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] == found[i]) continue;
    text += "m" + std::to_string(i) + ": " + expected[i].dump().substr(0, 300) + "\n  but " +
            found[i].dump().substr(0, 300) + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a program has the same transcript wherever its agents are") {
  const std::uint64_t seed = setting("AGENTD_EQUIVALENCE_SEED", std::random_device{}());
  const std::uint64_t programs = setting("AGENTD_EQUIVALENCE_PROGRAMS", 500);
  std::cout << "AGENTD_EQUIVALENCE_SEED=" << seed << " AGENTD_EQUIVALENCE_PROGRAMS=" << programs << std::endl;
  const World world;
  for (std::uint64_t i = 0; i < programs; ++i) {
    const Program program = generate(seed + i);
    const Json local = run_at(world, program, Deployment::local);
    REQUIRE(local.is_array());
    for (const Deployment deployment :
         {Deployment::master_slave, Deployment::peer_to_peer, Deployment::mixed}) {
      const Json distributed = run_at(world, program, deployment);
      if (distributed == local) continue;
      FAIL(name_of(deployment) << " differs from local; again with AGENTD_EQUIVALENCE_SEED=" << seed + i
                               << " AGENTD_EQUIVALENCE_PROGRAMS=1\n"
                               << differences(local, distributed) << "made smaller:\n"
                               << text_of(smaller(world, program, deployment)));
    }
  }
}

int main(int argc, char** argv) {
  agentd::init(argc, argv);
  return Catch::Session().run(argc, argv);
}
