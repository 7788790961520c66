#pragma once

#include <cstdlib>
#include <string>

/// How many loops the servers of this run have: the suite runs with one, and with several.
inline unsigned loops_of_servers() {
  const char* const loops = std::getenv("AGENTD_TEST_LOOPS");
  return loops ? static_cast<unsigned>(std::stoul(loops)) : 1;
}
