#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "daemon/rpc/dispatcher.hpp"

namespace agentd::rpc {

/// A request that other loops are at work for: until it is done, it counts for the connection that it came
/// over, which is read from no further while there are many. At the connection's loop.
class PendingRequest {
public:
  /// Of no connection: an HTTP request holds its own back anyway.
  PendingRequest() = default;
  PendingRequest(const std::shared_ptr<Channel>& channel, std::size_t weight)
      : channel_(channel), weight_(weight) {
    channel->requests_sent(weight);
  }
  PendingRequest(PendingRequest&&) = default;
  PendingRequest& operator=(PendingRequest&&) = default;

  void done() {
    if (const auto channel = std::exchange(channel_, {}).lock()) channel->requests_done(weight_);
  }

private:
  std::weak_ptr<Channel> channel_;
  std::size_t weight_ = 0;
};

}  // namespace agentd::rpc
