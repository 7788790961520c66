#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

namespace agentd::runtime {

/// Entries by their `id`, held by references. Made of parts that grow each at its own time, so that a million
/// entries never move at once. One thread.
template <typename T, typename Id, typename Hash>
class Directory {
public:
  using Pointer = boost::intrusive_ptr<T>;

  [[nodiscard]] std::size_t size() const { return size_; }
  /// Null where there is none.
  [[nodiscard]] T* find(const Id& id) const {
    const Key key{id, hash_of(id)};
    const Part& part = parts_[part_of(key.hash)];
    const auto found = part.find(key);
    return found == part.end() ? nullptr : found->get();
  }
  [[nodiscard]] bool contains(const Id& id) const { return find(id) != nullptr; }
  /// @pre there is none of that id
  void add(Pointer entry) {
    parts_[part_of(hash_of(entry->id))].insert(std::move(entry));
    ++size_;
  }
  void remove(const Id& id) {
    const Key key{id, hash_of(id)};
    Part& part = parts_[part_of(key.hash)];
    const auto found = part.find(key);
    if (found == part.end()) return;
    part.erase(found);
    --size_;
  }

private:
  static constexpr unsigned part_bits = 6;

  [[nodiscard]] static std::size_t hash_of(const Id& id) { return Hash()(id); }

  /// An id, and its hash asked for once.
  struct Key {
    const Id& id;
    std::size_t hash;
  };
  struct HashOf {
    using is_transparent = void;
    std::size_t operator()(const Pointer& entry) const { return hash_of(entry->id); }
    std::size_t operator()(const Key& key) const { return key.hash; }
  };
  struct Same {
    using is_transparent = void;
    bool operator()(const Pointer& a, const Pointer& b) const { return a->id == b->id; }
    bool operator()(const Key& key, const Pointer& entry) const { return entry->id == key.id; }
    bool operator()(const Pointer& entry, const Key& key) const { return entry->id == key.id; }
  };
  using Part = boost::unordered_flat_set<Pointer, HashOf, Same>;

  /// By other bits than those that the part itself goes by.
  [[nodiscard]] static std::size_t part_of(std::uint64_t hash) {
    return (hash * 0x9E3779B97F4A7C15U) >> (64U - part_bits);
  }

  std::array<Part, std::size_t{1} << part_bits> parts_;
  std::size_t size_ = 0;
};

}  // namespace agentd::runtime
