#pragma once

#include <cstdio>
#include <cstdlib>
#include <thread>

namespace agentd::bench {

/// Ends this process when its standard input ends: so no server outlives who started it.
inline void end_with_input() {
  std::thread([] {
    while (std::getchar() != EOF) {
    }
    std::_Exit(0);
  }).detach();
}

}  // namespace agentd::bench
