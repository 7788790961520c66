#include "daemon/rpc/far_channel.hpp"

#include <utility>
#include <vector>

namespace agentd::rpc {

FarChannel::FarChannel(const Place& place, async::Loop& loop_here, const std::shared_ptr<Channel>& connection,
                       std::uint64_t number, std::shared_ptr<Traffic> traffic)
    : place_(place),
      loop_(loop_here),
      connection_(connection),
      number_(number),
      caller_(connection->caller()),
      takes_batches_(connection->takes_batches()),
      traffic_(std::move(traffic)) {
  outbox_.pack(takes_batches_);
}

void FarChannel::count() {
  const std::size_t bytes = outbox_.bytes();
  traffic_->on_the_way.fetch_add(bytes - counted_, std::memory_order_relaxed);
  counted_ = bytes;
}

void FarChannel::sent() {
  count();
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
  count();
  const std::size_t bytes = std::exchange(counted_, 0);
  std::vector<std::string> frames;
  while (!outbox_.empty()) frames.push_back(outbox_.take());
  if (closed()) return;
  place_.siblings.shards().at(place_.here, place_.home,
                              [self = std::static_pointer_cast<FarChannel>(shared_from_this()),
                               frames = std::move(frames), bytes](runtime::Runtime&) mutable {
                                if (const auto connection = self->connection_.lock();
                                    connection && !connection->closed()) {
                                  for (std::string& frame : frames) connection->put_frame(std::move(frame));
                                  self->note(*connection);
                                }
                                self->traffic_->on_the_way.fetch_sub(bytes, std::memory_order_relaxed);
                              });
}

}  // namespace agentd::rpc
