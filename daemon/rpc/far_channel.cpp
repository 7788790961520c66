#include "daemon/rpc/far_channel.hpp"

#include <utility>
#include <vector>

namespace agentd::rpc {

FarChannel::FarChannel(const Place& place, async::Loop& loop_here, const std::shared_ptr<Channel>& connection,
                       std::uint64_t number)
    : place_(place),
      loop_(loop_here),
      connection_(connection),
      number_(number),
      caller_(connection->caller()),
      takes_batches_(connection->takes_batches()) {
  outbox_.pack(takes_batches_);
}

void FarChannel::sent() {
  if (closed() || std::exchange(scheduled_, true)) return;
  loop_.at_turn_end([self = std::static_pointer_cast<FarChannel>(shared_from_this())] { self->hand_back(); });
}

void FarChannel::done(std::size_t bytes) {
  place_.siblings.shards().at(
      place_.here, place_.home,
      [self = std::static_pointer_cast<FarChannel>(shared_from_this()), bytes](runtime::Runtime&) {
        if (const auto connection = self->connection_.lock()) connection->requests_done(bytes);
      });
}

void FarChannel::put_frame(std::string frame) {
  outbox_.put_frame(std::move(frame));
  sent();
}

void FarChannel::hand_back() {
  scheduled_ = false;
  const std::size_t bytes = outbox_.bytes();
  std::vector<std::string> frames;
  while (!outbox_.empty()) frames.push_back(outbox_.take());
  if (closed()) return;
  on_the_way_.fetch_add(bytes, std::memory_order_relaxed);
  place_.siblings.shards().at(place_.here, place_.home,
                              [self = std::static_pointer_cast<FarChannel>(shared_from_this()),
                               frames = std::move(frames), bytes](runtime::Runtime&) mutable {
                                self->on_the_way_.fetch_sub(bytes, std::memory_order_relaxed);
                                const auto connection = self->connection_.lock();
                                if (!connection || connection->closed()) return;
                                for (std::string& frame : frames) connection->put_frame(std::move(frame));
                                self->note(*connection);
                              });
}

}  // namespace agentd::rpc
