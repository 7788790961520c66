#pragma once

#include <cstddef>
#include <cstdint>
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
/// Where the other side takes batches (`pack`), what piled up leaves in as few frames as hold it, a
/// frame being closed at 32 KiB. Where it has only sent a batch, notifications share frames with each
/// other, and so do one batch's answers; but the answer to what was sent alone comes alone, for usual
/// clients look for it nowhere else. Otherwise each object is a frame. A frame that was made elsewhere
/// (`put_frame`) stays as it is. Order is kept. Knows no socket; one thread.
class Outbox {
public:
  static constexpr std::size_t frame_size = 32U << 10;

  /// Packs several objects into one frame from here on.
  void pack(bool on) { packing_ = on ? Packing::all : Packing::none; }
  /// The other side has sent a batch, whose answers do not join what is there already.
  void batch_came();
  /// The other side takes batches: `pack`.
  [[nodiscard]] bool packs() const { return packing_ == Packing::all; }

  /// Where to append one object's text. @pre no other object is open
  std::string& begin();
  /// Ends a notification or a request.
  void end() { finish(Kind::notice); }
  /// Ends an answer. `in_batch`: to an element of a batch, and so it never stands outside an array.
  void end(bool in_batch) { finish(in_batch ? Kind::batch_answer : Kind::answer); }

  /// Appends what another outbox made (`take`). @pre no object is open
  void put_frame(std::string frame);

  [[nodiscard]] bool empty() const { return frames_.empty(); }
  /// All bytes that wait.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The next frame's text. @pre !empty()
  [[nodiscard]] std::string take();

private:
  enum class Packing : std::uint8_t { none, alike, all };
  enum class Kind : std::uint8_t { notice, answer, batch_answer };

  void finish(Kind kind);
  void split();
  [[nodiscard]] bool joins(Kind kind) const;
  void join();

  struct Frame {
    /// Without the closing `]` of an array.
    std::string text;
    std::size_t objects = 0;
    bool array = false;
    /// Of its objects, where only what is alike shares a frame.
    Kind kind = Kind::notice;
    /// No other object goes into it.
    bool closed = false;
  };

  Packing packing_ = Packing::none;
  bool fresh_ = false;
  std::size_t bytes_ = 0;
  std::size_t open_at_ = 0;
  /// Of the frames taken since there were none: the next is unlikely to become twice as long.
  std::size_t largest_ = 0;
  std::deque<Frame> frames_;
};

}  // namespace agentd::protocol
