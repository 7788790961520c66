#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

/// Memory for what comes and goes by the thousand with each burst of calls: cells, calls, their entries.
///
/// The system's allocator keeps seven freed blocks of a size at hand, and joins and splits the others again;
/// here a thread keeps some thousands. A block may be given back by another thread than took it.
/// Thread-safe. Sanitized builds have none of it, so that what is used after it was freed is still found.
namespace agentd::detail {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool keeps_blocks = false;
#else
inline constexpr bool keeps_blocks = true;
#endif

template <std::size_t Size>
class Blocks {
public:
  static void* take() {
    List& list = list_;
    if (Free* const first = list.first) {
      list.first = first->next;
      --list.count;
      return first;
    }
    return ::operator new(Size);
  }

  static void give(void* block) noexcept {
    List& list = list_;
    if (!keeps_blocks || list.closed || list.count == most) return ::operator delete(block);
    if (!list.armed) list.armed = emptier_.arm();
    list.first = new (block) Free{list.first};
    ++list.count;
  }

private:
  struct Free {
    Free* next;
  };
  static_assert(Size >= sizeof(Free));

  /// Never destroyed: what outlives the thread's own objects still asks it.
  struct List {
    Free* first = nullptr;
    std::size_t count = 0;
    /// The thread's end empties it; it has, and from then on nothing is kept.
    bool armed = false;
    bool closed = false;
  };
  struct Emptier {
    [[nodiscard]] bool arm() const { return true; }
    ~Emptier() {
      list_.closed = true;
      while (Free* const first = list_.first) {
        list_.first = first->next;
        ::operator delete(first);
      }
      list_.count = 0;
    }
  };

  static constexpr std::size_t most = 4096;
  static thread_local List list_;
  static thread_local Emptier emptier_;
};

template <std::size_t Size>
constinit thread_local typename Blocks<Size>::List Blocks<Size>::list_;
template <std::size_t Size>
thread_local typename Blocks<Size>::Emptier Blocks<Size>::emptier_;

/// A block for short texts, which are of all lengths.
inline void* take_bytes(std::size_t size) {
  if (size <= 64) return Blocks<64>::take();
  if (size <= 256) return Blocks<256>::take();
  return ::operator new(size);
}
/// @pre `block` is of `take_bytes(size)`
inline void give_bytes(void* block, std::size_t size) noexcept {
  if (size <= 64) return Blocks<64>::give(block);
  if (size <= 256) return Blocks<256>::give(block);
  ::operator delete(block);
}

/// For containers and `std::allocate_shared`.
template <typename T>
struct PoolAllocator {
  using value_type = T;

  PoolAllocator() = default;
  template <typename U>
  PoolAllocator(const PoolAllocator<U>&) {}

  T* allocate(std::size_t count) {
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    if constexpr (sizeof(T) > sizeof(char)) {
      if (count == 1) return static_cast<T*>(Blocks<sizeof(T)>::take());
    }
    return static_cast<T*>(take_bytes(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    if constexpr (sizeof(T) > sizeof(char)) {
      if (count == 1) return Blocks<sizeof(T)>::give(block);
    }
    give_bytes(block, count * sizeof(T));
  }

  template <typename U>
  friend bool operator==(const PoolAllocator&, const PoolAllocator<U>&) {
    return true;
  }
};

}  // namespace agentd::detail
