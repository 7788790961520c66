#include "daemon/runtime/sequence.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

namespace agentd::runtime {

namespace {

struct Entry {
  std::uint64_t seq = 0;
  Entry* next = nullptr;
  Entry* previous = nullptr;
};

std::vector<std::uint64_t> numbers(const Sequence<Entry>& sequence) {
  std::vector<std::uint64_t> found;
  for (const Entry* entry = sequence.first(); entry; entry = entry->next) found.push_back(entry->seq);
  return found;
}

std::uint64_t number_after(const Sequence<Entry>& sequence, std::uint64_t seq) {
  const Entry* entry = sequence.after(seq);
  return entry ? entry->seq : 0;
}

}  // namespace

TEST_CASE("an empty sequence has nothing behind any place") {
  const Sequence<Entry> sequence;
  CHECK(sequence.first() == nullptr);
  CHECK(sequence.after(0) == nullptr);
  CHECK(sequence.after(~std::uint64_t{0}) == nullptr);
}

TEST_CASE("what comes behind a place is found, whether its entry is there or has gone") {
  std::mt19937 random(Catch::rngSeed());
  INFO(Catch::rngSeed());
  for (const unsigned widest : {1U, 3U, 700U, 5000U}) {
    Sequence<Entry> sequence;
    std::deque<Entry> entries;
    std::vector<Entry*> there;
    std::uint64_t seq = 0;
    const auto check = [&] {
      std::vector<std::uint64_t> expected;
      for (const Entry* entry : there) expected.push_back(entry->seq);
      REQUIRE(numbers(sequence) == expected);
      for (int i = 0; i < 20; ++i) {
        const std::uint64_t place = random() % (seq + 2);
        const auto behind = std::upper_bound(expected.begin(), expected.end(), place);
        REQUIRE(number_after(sequence, place) == (behind == expected.end() ? 0 : *behind));
      }
    };
    for (int round = 0; round < 300; ++round) {
      for (unsigned count = random() % 40; count > 0; --count) {
        entries.push_back({.seq = seq += 1 + random() % widest});
        there.push_back(&entries.back());
        sequence.append(entries.back());
      }
      // From the front, as calls are released, or from anywhere.
      for (unsigned count = random() % 40; count > 0 && !there.empty(); --count) {
        const std::size_t which = round % 2 == 0 ? 0 : random() % there.size();
        sequence.remove(*there[which]);
        there.erase(there.begin() + static_cast<std::ptrdiff_t>(which));
      }
      check();
    }
    while (!there.empty()) {
      const std::size_t which = random() % there.size();
      sequence.remove(*there[which]);
      there.erase(there.begin() + static_cast<std::ptrdiff_t>(which));
    }
    check();
  }
}

}  // namespace agentd::runtime
