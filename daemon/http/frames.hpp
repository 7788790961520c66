#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace agentd::http {

/// RFC 6455, 7.4.1: why a WebSocket is closed.
enum class CloseCode : std::uint16_t {
  none = 0,
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  no_status = 1005,
  invalid_text = 1007,
  policy = 1008,
  too_big = 1009,
};

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// The header of a frame that the server sends: whole messages, unmasked (RFC 6455, 5.1).
[[nodiscard]] std::string frame_header(Opcode opcode, std::size_t size);

/// What a client's bytes amount to.
struct FrameEvent {
  enum class Kind : std::uint8_t {
    /// Nothing more to be had from this input.
    more,
    message,
    ping,
    pong,
    /// The client says goodbye; `code` is what to answer.
    close,
    /// What the client sent is against the protocol or beyond a bound; `code` and `payload` say what.
    fault,
  };

  Kind kind = Kind::more;
  std::string_view payload;
  CloseCode code = CloseCode::none;
};

/// Takes a client's WebSocket frames apart: bytes in as they arrive, messages out.
///
///     for (;;) {
///       const FrameEvent event = reader.next(input);
///       if (event.kind == FrameEvent::Kind::more) break;
///       ...
///     }
///
/// A message that is there as a whole is unmasked where it stands and not copied; one that arrives in
/// parts is put together here, and the memory is given back after it. Knows no socket; one thread.
class FrameParser {
public:
  struct Limits {
    std::size_t message = 1U << 20;
    unsigned fragments = 1000;
  };

  /// Readable bytes behind a message, for parsers that look ahead. Who feeds gives the same.
  static constexpr std::size_t padding = 64;

  explicit FrameParser(Limits limits) : limits_(limits) {}

  /// The next event of `input`, which is consumed as far as it goes. What the event shows is valid
  /// until the next call, and while `input` is there. After a fault only `close` may still come,
  /// where the frames can be told apart at all.
  FrameEvent next(std::span<char>& input);

  /// A message has begun and is not complete.
  [[nodiscard]] bool is_midway() const { return in_message_ || (in_frame_ && !is_control()); }
  /// How much of it is there. @pre is_midway()
  [[nodiscard]] std::size_t received() const { return message_.size(); }

private:
  struct Header {
    bool fin = false;
    Opcode opcode = Opcode::continuation;
    std::uint64_t size = 0;
    std::array<char, 4> mask{};
  };

  [[nodiscard]] bool take_header(std::span<char>& input);
  [[nodiscard]] FrameEvent begin_frame();
  [[nodiscard]] FrameEvent begin_data_frame();
  [[nodiscard]] FrameEvent take_payload(std::span<char>& input);
  [[nodiscard]] FrameEvent end_frame(std::string_view payload);
  [[nodiscard]] FrameEvent end_control(std::string_view payload);
  [[nodiscard]] FrameEvent end_message(std::string_view text);
  [[nodiscard]] FrameEvent fault(CloseCode code, std::string_view why);
  void release_stored();
  [[nodiscard]] bool is_control() const { return static_cast<std::uint8_t>(header_.opcode) >= 8; }

  Limits limits_;
  /// A header's bytes, while it is incomplete.
  std::array<char, 14> partial_{};
  std::uint8_t partial_size_ = 0;
  bool in_frame_ = false;
  bool in_message_ = false;
  /// A fault was reported: messages are read past, not stored.
  bool skipping_ = false;
  /// The frames cannot be told apart any more.
  bool lost_ = false;
  bool handed_out_ = false;
  Header header_;
  std::uint64_t taken_ = 0;
  unsigned fragments_ = 0;
  std::string control_;
  std::string message_;
};

}  // namespace agentd::http
