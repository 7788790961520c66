#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "daemon/runtime/call.hpp"

namespace agentd::runtime {

/// The calls of one caller to one agent, in the order they were made.
struct Lane {
  Call* head = nullptr;
  Call* tail = nullptr;
  Caller* caller = nullptr;
};

/// The calls that wait for one agent: a lane for each caller.
///
/// A call is *eligible* when its inputs are all there and it is at the head of its lane (or in no
/// lane). `take_next` gives the oldest eligible one. A call leaves its lane when it starts, or settles
/// without having run. Holds references to its calls. Loop thread only.
class Mailbox {
public:
  Mailbox() = default;
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Puts the call at the end of its caller's lane; without one, it waits for its inputs only.
  void add(Call& call, bool in_lane);
  /// Its inputs are all there.
  void inputs_there(Call& call);
  /// The oldest eligible call; null where there is none.
  [[nodiscard]] Call* next() const { return eligible_.empty() ? nullptr : eligible_.front().get(); }
  /// The same, which thereby leaves the mailbox.
  [[nodiscard]] CallPtr take_next();
  /// Leaves without having run. @pre its state says so already
  void remove(Call& call);
  /// Lets go of all calls.
  void clear();

  [[nodiscard]] bool has_eligible() const { return !eligible_.empty(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// All calls in it, oldest first.
  [[nodiscard]] std::vector<CallPtr> all() const;

private:
  /// What an idle agent does not have.
  struct Others {
    boost::unordered_flat_map<Caller*, std::unique_ptr<Lane>> lanes;
    /// Calls in no lane, whose inputs are not there yet: a chain like a lane's, in which nobody waits for
    /// the one before.
    Lane outside;
  };

  [[nodiscard]] Others& others();
  void drop_others();
  CallPtr leave_outside(Call& call);
  Lane& lane_of(Caller& caller);
  void leave_lane(Call& call);
  [[nodiscard]] bool is_outside(const Call& call) const;
  void make_eligible(Call& call);
  CallPtr take_eligible();
  void drop_settled();

  /// A heap with the oldest on top. The one on top has not settled; others may have: they are dropped when
  /// they come to the top, or are the most.
  boost::container::small_vector<CallPtr, 1> eligible_;
  /// The first caller's lane needs no memory of its own.
  Lane first_;
  std::unique_ptr<Others> others_;
  std::size_t size_ = 0;
};

}  // namespace agentd::runtime
