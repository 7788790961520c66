#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <agentd/error.hpp>

#include "common/json/text.hpp"
#include "common/protocol/result.hpp"

namespace agentd::protocol {

/// One JSON-RPC 2.0 object as it stands in a frame. Views point into the frame (or into the
/// envelope itself, so it is not copied).
struct Envelope {
  enum class Kind : std::uint8_t {
    request,
    notification,
    response,
    /// No JSON-RPC object: `problem` says why, `id` is set where one could be read.
    invalid,
  };

  Kind kind = Kind::invalid;
  std::string_view method;
  /// JSON text, with its type: `1`, `"1"`, `null`. Empty where the object has no id.
  std::string_view id;
  /// JSON text of an object or an array; empty where there are none.
  std::string_view params;
  /// Of a response: exactly one of the two.
  std::string_view result;
  std::string_view error;
  std::optional<Error> problem;
  /// For reading what is in `params`, `result` and `error`. @see json::Members
  const json::Ends* ends = nullptr;

  std::string method_storage;
};

/// Reads the JSON-RPC objects of one text: a single object, or a batch.
///
///     FrameReader frame;
///     if (auto fault = frame.open(text)) return answer(*fault);   // one error, id null
///     for (Envelope envelope; frame.next(envelope);) handle(envelope);
///
/// `open` checks the whole text once (grammar, UTF-8, depth); `next` then cannot fail, but an
/// element can be `invalid`. The text outlives what is read of it; a reader can be opened again and
/// again.
class FrameReader {
public:
  FrameReader() = default;
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;

  /// Nothing where the text can be read; `parse_error`, or `invalid_request` for an empty batch.
  [[nodiscard]] std::optional<Error> open(std::string_view text);
  [[nodiscard]] bool is_batch() const { return elements_.has_value(); }
  bool next(Envelope& envelope);
  /// The frame is nested so flat that no content in it can pass `json::max_content_depth`.
  [[nodiscard]] bool is_shallow() const { return depth_ <= json::max_content_depth; }

private:
  std::string_view single_;
  std::optional<json::Elements> elements_;
  json::Ends ends_;
  unsigned depth_ = 0;
};

/// Appends `{"jsonrpc":"2.0","id":ID,"result":RESULT}`. `id` and `result` are JSON text; an empty
/// id is written as null.
void append_result(std::string& out, std::string_view id, std::string_view result);
void append_error_response(std::string& out, std::string_view id, const Error& error);
void append_request(std::string& out, std::string_view id, std::string_view method, std::string_view params);
void append_notification(std::string& out, std::string_view method, std::string_view params);

/// Appends an error object: `{"code", "message", "data"}`.
void append_error(std::string& out, const Error& error);
/// Reads what `append_error` writes, and bare JSON-RPC errors of other servers.
[[nodiscard]] Error read_error(std::string_view text);

}  // namespace agentd::protocol
