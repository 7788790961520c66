#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace agentd::protocol {

/// What waits to be written to one WebSocket: JSON-RPC objects in, frames out.
///
///     append_result(outbox.begin(), id, result);
///     outbox.end();
///     ...
///     for (; !outbox.empty() && !writing;) write(outbox.take());
///
/// Where the other side takes batches (`pack`), what piled up leaves as few frames as hold it, a
/// frame being closed at 32 KiB; otherwise each object is a frame. Order is kept. Knows no socket;
/// one thread.
class Outbox {
public:
  static constexpr std::size_t frame_size = 32U << 10;

  /// Pack several objects into one frame from here on.
  void pack(bool on) { pack_ = on; }
  [[nodiscard]] bool packs() const { return pack_; }

  /// Where to append one object's text. @pre no other object is open
  std::string& begin();
  /// Ends the object. `always_array`: it answers an element of a batch, and so never stands alone.
  void end(bool always_array = false);

  [[nodiscard]] bool empty() const { return frames_.empty(); }
  /// All bytes that wait.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The next frame's text. @pre !empty()
  [[nodiscard]] std::string take();

private:
  void split();

  struct Frame {
    /// Without the closing `]` of an array.
    std::string text;
    std::size_t objects = 0;
    bool array = false;
  };

  bool pack_ = false;
  bool fresh_ = false;
  std::size_t bytes_ = 0;
  std::size_t open_at_ = 0;
  std::deque<Frame> frames_;
};

}  // namespace agentd::protocol
