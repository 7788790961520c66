#pragma once

#include <cstdint>
#include <iterator>
#include <map>

namespace agentd::runtime {

/// Entries in the order in which they came, and the place behind any of them, though it has gone since.
///
/// `T` has a number `seq`, which grows from one entry to the next, and pointers `next` and `previous`,
/// which belong to the sequence. Appending and removing take constant time in the order of arrival;
/// finding a place looks at some thousand entries at most, however many there are. Owns nothing. One thread.
template <typename T>
class Sequence {
public:
  [[nodiscard]] T* first() const { return first_; }

  /// The first entry whose number is larger; null where there is none.
  [[nodiscard]] T* after(std::uint64_t seq) const {
    const auto beyond = marks_.upper_bound(stretch_of(seq));
    T* entry = beyond == marks_.begin() ? first_ : std::prev(beyond)->second;
    while (entry && entry->seq <= seq) entry = entry->next;
    return entry;
  }

  void append(T& entry) {
    if (last_ && !are_near(*last_, entry)) marks_.emplace_hint(marks_.end(), stretch_of(entry.seq), &entry);
    entry.previous = last_;
    (last_ ? last_->next : first_) = &entry;
    last_ = &entry;
  }

  void remove(T& entry) {
    const bool begins = !entry.previous || !are_near(*entry.previous, entry);
    if (begins) move_mark(entry);
    (entry.previous ? entry.previous->next : first_) = entry.next;
    (entry.next ? entry.next->previous : last_) = entry.previous;
    entry.next = entry.previous = nullptr;
  }

private:
  static constexpr unsigned stretch_bits = 10;

  [[nodiscard]] static std::uint64_t stretch_of(std::uint64_t seq) { return seq >> stretch_bits; }
  [[nodiscard]] static bool are_near(const T& a, const T& b) {
    return stretch_of(a.seq) == stretch_of(b.seq);
  }

  /// The entry, which is the first of its stretch, goes.
  void move_mark(T& entry) {
    const bool has_heir = entry.next && are_near(entry, *entry.next);
    if (!entry.previous) {
      // It has no mark, and neither has the next one, once that is the first of all.
      if (entry.next && !has_heir) marks_.erase(marks_.begin());
      return;
    }
    const auto mark = marks_.find(stretch_of(entry.seq));
    if (has_heir) {
      mark->second = entry.next;
    } else {
      marks_.erase(mark);
    }
  }

  T* first_ = nullptr;
  T* last_ = nullptr;
  /// The first entry of each stretch of numbers that has one, but for the stretch that `first_` is in.
  std::map<std::uint64_t, T*> marks_;
};

}  // namespace agentd::runtime
