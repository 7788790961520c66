#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "common/protocol/params.hpp"
#include "daemon/rpc/pending_request.hpp"
#include "daemon/rpc/reply.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd::rpc {

/// What `agent.create_many` does: each shard makes those agents that belong to it, some in each turn, and
/// stops at the first that cannot be made. Where they may have no room, the shards look first for those that
/// are there already: asked again, as after a lost connection, all of them are.
///
/// On the thread of the shard that was asked. Kept by what it waits for.
class ManyAgents : public std::enable_shared_from_this<ManyAgents> {
public:
  ManyAgents(runtime::Runtime& runtime, protocol::AgentCreateManyParams params, PendingRequest request,
             Reply reply)
      : runtime_(runtime),
        params_(std::move(params)),
        request_(std::move(request)),
        reply_(std::move(reply)) {}

  void start();

private:
  /// What one shard answers: how many are missing there, or why one could not be made.
  struct Answer {
    std::uint64_t missing = 0;
    std::optional<Error> failure;
  };
  using OnAnswer = std::function<void(const Answer&)>;
  class Part;
  class Look;
  class Make;

  /// Lets a `P` run at each shard; `all_answered` when the last of them has answered.
  template <typename P>
  void at_each_shard(void (ManyAgents::*all_answered)());
  void part_answered(const Answer& answer, void (ManyAgents::*all_answered)());
  void looked();
  void refuse();
  void made();
  [[nodiscard]] std::uint64_t room() const;

  runtime::Runtime& runtime_;
  protocol::AgentCreateManyParams params_;
  PendingRequest request_;
  Reply reply_;
  std::size_t open_ = 0;
  std::uint64_t missing_ = 0;
  std::optional<Error> failure_;
};

}  // namespace agentd::rpc
