#pragma once

#include <optional>
#include <string>
#include <vector>

#include <agentd/message.hpp>

#include "common/protocol/values.hpp"
#include "common/vocabulary/cell.hpp"

namespace agentd::runtime {

/// What a call will be given: messages, and slots for those that are not there yet.
///
/// A slot is filled once, with the outcome it stands for; when none is open, `assemble` makes the
/// message that the agent sees. One thread.
class CallInput {
public:
  /// Where a slot's message comes from: another call, or a message of this very program.
  struct Source {
    std::optional<Placeholder> placeholder;
    std::shared_ptr<detail::Cell> cell;
    /// Held while another node is asked for it.
    std::shared_ptr<void> interest = nullptr;
  };

  CallInput() = default;
  explicit CallInput(protocol::Input input);
  /// A message in which nothing is to be filled in.
  explicit CallInput(detail::MessageData message);
  /// From a message inside the program: what has a value is taken; what has none becomes a slot.
  explicit CallInput(const Message& message);

  [[nodiscard]] std::size_t slots() const { return sources_.size(); }
  [[nodiscard]] const Source& source(std::size_t slot) const { return sources_[slot]; }
  [[nodiscard]] std::size_t open() const { return open_; }
  /// Another node is asked for that slot's message: `interest` goes when it has come, or is not wanted.
  void ask(std::size_t slot, std::shared_ptr<void> interest) {
    sources_[slot].interest = std::move(interest);
  }
  /// @pre the slot is open
  void fill(std::size_t slot, detail::MessageData message);

  /// What the texts of the assembled message take at most, by what has been filled so far.
  [[nodiscard]] std::size_t assembled_bytes() const { return assembled_bytes_; }
  /// The message for the agent. @pre open() == 0
  [[nodiscard]] Message assemble() const;

  /// Lets go of what the slots were filled with, and of where it came from: it has been used.
  void forget_values();

  /// Equal for equal inputs: by value, numbers by their text, placeholders by what they point to.
  [[nodiscard]] std::string fingerprint() const;
  /// Roughly how much memory the texts take.
  [[nodiscard]] std::size_t bytes() const;

private:
  void add_slots_of(const protocol::InputPart& part);
  void add_slot(Source source);
  void add_message(const Message& message);
  /// `slot` is the first of the part's slots, and then the first of the next part's.
  [[nodiscard]] Message assemble_part(const protocol::InputPart& part, std::size_t& slot) const;

  protocol::Input input_;
  std::size_t open_ = 0;
  std::size_t assembled_bytes_ = 0;
  /// In the order of the parts, and within a part of its holes.
  std::vector<Source> sources_;
  std::vector<detail::MessageData> fillings_;
};

}  // namespace agentd::runtime
