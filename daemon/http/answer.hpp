#pragma once

#include <string>
#include <string_view>

namespace agentd::http {

/// What goes back for one HTTP request. A value, without any socket.
struct Answer {
  static constexpr std::string_view text = "text/plain; charset=utf-8";
  static constexpr std::string_view json = "application/json";

  unsigned status = 200;
  /// Points to something that outlives the answer: in practice, a literal.
  std::string_view type = text;
  std::string body;
  /// Further header lines, each with its CRLF.
  std::string headers;
  /// The request could not be read to its end, so nothing after it can be trusted to be a request.
  bool close = false;
};

/// Says no, and why, in one line of plain text.
[[nodiscard]] Answer refuse(unsigned status, std::string why, std::string headers = {});
/// As `refuse`, where the connection cannot go on.
[[nodiscard]] Answer refuse_and_close(unsigned status, std::string why);

/// What of an answer depends on the request.
struct AnswerForm {
  /// `HEAD`: the header of the answer, without its body.
  bool head_only = false;
  bool close = false;
  /// HTTP/1.0 keeps the connection only where both sides say so.
  bool say_keep_alive = false;
};

/// Appends the header of the answer, the empty line included. Every 503 says when to come back.
void append_head(std::string& out, const Answer& answer, const AnswerForm& form);

}  // namespace agentd::http
