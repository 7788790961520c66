#include "common/async/loops.hpp"

#include <utility>

namespace agentd::async {

Loops::Loops(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    stations_.push_back(std::make_unique<Station>());
    stations_.back()->outgoing.resize(count);
  }
}

void Loops::put(std::size_t from, std::size_t to, std::unique_ptr<Item> item) {
  Station& station = *stations_[from];
  station.outgoing[to].push_back(std::move(item));
  if (std::exchange(station.scheduled, true)) return;
  station.loop.at_turn_end([this, &station] { send(station); });
}

void Loops::discard() {
  for (const auto& station : stations_) {
    for (Batch& batch : station->outgoing) batch.clear();
    station->loop.discard();
  }
}

void Loops::send(Station& station) {
  station.scheduled = false;
  for (std::size_t to = 0; to < station.outgoing.size(); ++to) {
    if (station.outgoing[to].empty()) continue;
    // A loop posts what can be copied.
    auto batch = std::make_shared<Batch>(std::exchange(station.outgoing[to], {}));
    Loop& loop = stations_[to]->loop;
    loop.post([&loop, batch = std::move(batch), next = std::size_t{0}]() mutable {
      const auto until = Loop::Clock::now() + Loop::handlers_time;
      while (next < batch->size()) {
        std::exchange((*batch)[next++], nullptr)->run();
        if (Loop::Clock::now() >= until) break;
      }
      if (next < batch->size()) loop.run_again();
    });
  }
}

}  // namespace agentd::async
