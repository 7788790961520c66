#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace agentd::http {

/// Puts one request's body together from bytes that arrive bit by bit: of a given length, or chunked
/// (RFC 9112, 7.1, read strictly: CRLF only, no space around the size, extensions and trailers
/// skipped and bounded).
///
/// A body of a given length that is there as a whole is not copied.
class BodyReader {
public:
  enum class State : std::uint8_t { partial, complete, malformed, too_large };

  /// Readable bytes behind the text, for parsers that look ahead. Who feeds gives the same.
  static constexpr std::size_t padding = 64;

  void expect_length(std::uint64_t length);
  void expect_chunks(std::uint64_t limit);

  /// Takes what belongs to the body off the front of `input`.
  State feed(std::span<const char>& input);

  /// The whole body. Valid until the next call, and while what was fed last is there.
  /// @pre the last `feed` said complete
  [[nodiscard]] std::string_view text() const { return text_; }
  /// Body bytes that have arrived.
  [[nodiscard]] std::size_t received() const { return received_; }
  /// Done with the body; gives back what a large one took.
  void release();

private:
  enum class Part : std::uint8_t {
    size,
    extension,
    size_end,
    data,
    data_cr,
    data_end,
    trailer,
    trailer_text,
    trailer_end,
    last_end,
  };

  State feed_length(std::span<const char>& input);
  State feed_chunks(std::span<const char>& input);
  State feed_data(std::span<const char>& input);
  State feed_syntax(char c);
  State read_size_digit(char c);
  State begin_data();
  State complete(std::string_view text);
  State complete_stored();

  bool chunked_ = false;
  std::uint64_t remaining_ = 0;
  std::uint64_t limit_ = 0;
  std::size_t received_ = 0;
  Part part_ = Part::size;
  unsigned size_digits_ = 0;
  std::size_t skipped_ = 0;
  std::string stored_;
  std::string_view text_;
};

}  // namespace agentd::http
