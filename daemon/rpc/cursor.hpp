#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/protocol/result.hpp"

/// The cursors of `agent.list` and `call.list`: where the next page begins. They hold until the node's
/// next start.
namespace agentd::rpc {

/// Behind the entry of that number, in the list of that shard.
struct ListPlace {
  std::size_t shard = 0;
  std::uint64_t seq = 0;
};

[[nodiscard]] std::string cursor_behind(const ListPlace& place, std::string_view boot);
/// The beginning for an empty cursor; fails with `invalid_params` for one that was not given by a node of
/// `shards` shards since its start.
[[nodiscard]] Result<ListPlace> read_cursor(std::string_view cursor, std::string_view boot,
                                            std::size_t shards);

}  // namespace agentd::rpc
