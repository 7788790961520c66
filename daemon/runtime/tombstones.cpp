#include "daemon/runtime/tombstones.hpp"

#include <algorithm>

namespace agentd::runtime {
namespace {

constexpr std::size_t first_size = 1024;

}  // namespace

std::size_t Tombstones::place_of(Print print) const {
  std::size_t place = print & mask();
  while (table_[place] != 0 && table_[place] != print) place = (place + 1) & mask();
  return place;
}

void Tombstones::add(const CallId& id, Clock::time_point now) {
  forget_old(now);
  if (2 * (order_.size() + 1) > table_.size()) grow();
  const Print print = print_of(id);
  Print& place = table_[place_of(print)];
  if (place == print) return;
  place = print;
  order_.push_back({print, now + ttl_});
  if (order_.size() > most_) forget_first();
}

bool Tombstones::has(const CallId& id, Clock::time_point now) {
  forget_old(now);
  return !order_.empty() && table_[place_of(print_of(id))] != 0;
}

void Tombstones::grow() {
  std::vector<Print> old(std::max(first_size, 2 * table_.size()));
  old.swap(table_);
  for (const Print print : old) {
    if (print != 0) table_[place_of(print)] = print;
  }
}

void Tombstones::forget_old(Clock::time_point now) {
  while (!order_.empty() && order_.front().until <= now) forget_first();
}

void Tombstones::forget_first() {
  // What stands behind it in the same run moves up, where it may: a search must not meet a hole.
  std::size_t hole = place_of(order_.front().print);
  order_.pop_front();
  for (std::size_t next = (hole + 1) & mask(); table_[next] != 0; next = (next + 1) & mask()) {
    const std::size_t wanted = table_[next] & mask();
    if (((next - wanted) & mask()) < ((next - hole) & mask())) continue;
    table_[hole] = table_[next];
    hole = next;
  }
  table_[hole] = 0;
}

}  // namespace agentd::runtime
