#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include <agentd/agentd.hpp>

#include "tests/integration/sdk/parts.hpp"

int main(int argc, char** argv) {
  play_part(argc, argv);
  agentd::init(argc, argv);
  return Catch::Session().run(argc, argv);
}
