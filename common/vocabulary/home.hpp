#pragma once

#include <cstddef>

#include <agentd/ids.hpp>

namespace agentd {

/// Which of a node's `loops` loops has what is at that home.
[[nodiscard]] constexpr std::size_t loop_of(Home home, std::size_t loops) { return home * loops / homes; }

}  // namespace agentd
