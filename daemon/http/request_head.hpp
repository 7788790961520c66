#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/http/answer.hpp"

namespace agentd::http {

/// Finds the end of a request's header in bytes that arrive bit by bit.
///
/// Refuses line ends that are not CRLF and control characters at once, rather than wait for an end
/// that another reader of the same bytes would have seen long ago.
class HeadScanner {
public:
  enum class State : std::uint8_t { partial, complete, malformed };

  /// `bytes` is all that has arrived since the header's first byte.
  State scan(std::string_view bytes);
  /// Where the header ends, its empty line included. @pre the last `scan` said complete
  [[nodiscard]] std::size_t size() const { return line_; }
  void reset() { *this = HeadScanner(); }

private:
  /// Where the line that is looked at begins, and how much of it is known to have no end.
  std::size_t line_ = 0;
  std::size_t scanned_ = 0;
};

/// One request's header, read strictly. Views point into the block it was read from.
///
/// Strict means: what two readers could take differently is no request. That is the whole defence
/// against request smuggling, so there is no lenient mode.
struct RequestHead {
  std::string_view method;
  std::string_view path;
  /// Behind the `?`.
  std::string_view query;
  /// 0 or 1: the version is HTTP/1.minor.
  unsigned minor = 1;

  std::optional<std::string_view> host;
  std::optional<std::string_view> origin;
  std::optional<std::string_view> authorization;
  std::optional<std::string_view> content_type;
  std::optional<std::string_view> websocket_key;
  std::optional<std::string_view> websocket_version;
  std::optional<std::string_view> batch;
  std::optional<std::string_view> requested_method;

  /// The body's length where it is given; for `chunked` it is not.
  std::optional<std::uint64_t> content_length;
  bool chunked = false;

  bool close = false;
  bool keep_alive = false;
  bool connection_upgrade = false;
  bool upgrade_to_websocket = false;
  bool expects_continue = false;

  [[nodiscard]] bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  /// Whether the client wants to use the connection again.
  [[nodiscard]] bool persistent() const { return !close && (minor == 1 || keep_alive); }
};

/// Reads a complete header, its empty line included. Answers the refusal (400 or 431, always one
/// that closes) where it is malformed; `head` is then not to be used.
[[nodiscard]] std::optional<Answer> read_head(std::string_view block, RequestHead& head);

}  // namespace agentd::http
