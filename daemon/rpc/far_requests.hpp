#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/protocol/envelope.hpp"
#include "daemon/rpc/methods.hpp"
#include "daemon/rpc/pending_request.hpp"

/// What a connection asks of other shards than its own. Each owns what it is made of: the frame that it came
/// in is gone when it gets there.
namespace agentd::rpc {

struct FarCall {
  std::string agent;
  std::string method;
  CallId call;
  std::optional<std::chrono::milliseconds> deadline;
  Result<runtime::CallInput> input = runtime::CallInput();
};
/// A call, or ids to be released.
using FarNotice = std::variant<FarCall, std::vector<CallId>>;
[[nodiscard]] FarCall far_call(const protocol::CallNotice& notice);

/// Roughly how much memory what waits at another loop takes.
[[nodiscard]] std::size_t bytes_of(const FarNotice& notice);

struct FarRequest {
  explicit FarRequest(const protocol::Envelope& envelope, bool the_check_depth, bool the_in_batch)
      : method(envelope.method),
        params(envelope.params),
        id(envelope.id),
        wanted(envelope.kind == protocol::Envelope::Kind::request),
        check_depth(the_check_depth),
        in_batch(the_in_batch) {}

  [[nodiscard]] std::size_t bytes() const {
    return sizeof(FarRequest) + method.size() + params.size() + id.size();
  }

  std::string method;
  std::string params;
  /// JSON text.
  std::string id;
  /// Somebody gets the answer.
  bool wanted;
  bool check_depth;
  bool in_batch;
};

/// What waits, at another shard, for an HTTP request's calls. Made at the connection's shard; `waits` is for
/// the other one's thread.
struct FarInterest {
  std::unique_ptr<Waits> waits;
};

/// The requests of one HTTP body that wait at other shards: with this they end.
class FarInterests {
public:
  FarInterests(const runtime::Shards& shards, std::size_t here) : shards_(shards), here_(here) {}
  FarInterests(const FarInterests&) = delete;
  FarInterests& operator=(const FarInterests&) = delete;
  ~FarInterests();

  [[nodiscard]] std::shared_ptr<FarInterest> add(std::size_t shard);

private:
  const runtime::Shards& shards_;
  const std::size_t here_;
  std::vector<std::pair<std::size_t, std::shared_ptr<FarInterest>>> there_;
};

/// The shard that a request belongs to, by the agent or the call that it names; nothing where it names none
/// that could be.
[[nodiscard]] std::optional<std::size_t> shard_of(runtime::Shards& shards, std::string_view method,
                                                  std::string_view params);

/// What stands for that connection at `shard`. @pre that is another shard, and the connection is open
[[nodiscard]] std::shared_ptr<FarChannel> far_channel(const MethodContext& context, ChannelWatcher& watcher,
                                                      std::size_t shard);

/// A request that other shards will be at work for, if there are any: `weight` is as so many bytes.
[[nodiscard]] PendingRequest pending(const MethodContext& context, const Request& request,
                                     std::size_t weight);

/// Each call at its shard.
void subscribe_everywhere(const MethodContext& context, const std::shared_ptr<ChannelWatcher>& watcher,
                          const std::vector<CallId>& calls, std::chrono::milliseconds grace);

}  // namespace agentd::rpc
