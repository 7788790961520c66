#include "daemon/http/request_head.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "daemon/http/text.hpp"

namespace agentd::http {

namespace {

using Fault = std::optional<Answer>;
using Value = std::optional<std::string_view>;

constexpr unsigned max_fields = 100;
constexpr std::string_view crlf = "\r\n";

Fault malformed(std::string why) { return refuse_and_close(400, "malformed request: " + std::move(why)); }

/// RFC 9110, 5.6.2.
bool is_token_char(char c) {
  if (is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

bool is_visible(char c) { return c > ' ' && c <= '~'; }

/// Splits an absolute-form target (`http://host/path`) into what stands before the path, and leaves
/// the path. Nothing where the target has another form.
Value take_authority(std::string_view& target) {
  constexpr std::string_view scheme = "http://";
  if (!equals_ignoring_case(target.substr(0, scheme.size()), scheme)) return std::nullopt;
  target.remove_prefix(scheme.size());
  const std::size_t end = std::min(target.find_first_of("/?"), target.size());
  const std::string_view authority = target.substr(0, end);
  target.remove_prefix(end);
  return authority;
}

Fault read_target(std::string_view target, RequestHead& head, Value& authority) {
  if (!std::all_of(target.begin(), target.end(), is_visible)) {
    return malformed("the target has characters that must be percent-encoded");
  }
  const std::string_view whole = target;
  authority = take_authority(target);
  head.path = cut(target, '?');
  head.query = target;
  if (authority && head.path.empty()) head.path = "/";
  const bool asterisk = whole == "*" && head.method == "OPTIONS";
  if (!asterisk && !head.path.starts_with('/')) {
    return malformed("the target " + quote(whole) + " does not begin with '/'");
  }
  if (whole.find('#') != std::string_view::npos) return malformed("the target has a fragment");
  return std::nullopt;
}

Fault read_request_line(std::string_view line, RequestHead& head, Value& authority) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) {
    return malformed("the first line must read METHOD TARGET VERSION");
  }
  head.method = line.substr(0, first);
  if (!is_token(head.method)) return malformed("the method is no token");
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return malformed("the version is " + quote(version) + ", expected HTTP/1.1 or HTTP/1.0");
  }
  head.minor = version.back() == '1' ? 1 : 0;
  return read_target(line.substr(first + 1, last - first - 1), head, authority);
}

struct Field {
  std::string_view name;
  std::string_view value;
};

Fault split_field(std::string_view line, Field& field) {
  if (line.front() == ' ' || line.front() == '\t') {
    return malformed("a header field is folded over two lines");
  }
  const std::size_t colon = line.find(':');
  field.name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(field.name)) {
    return malformed("header field " + quote(field.name) +
                     " must read NAME: VALUE, without a space before the colon");
  }
  field.value = trim(line.substr(colon + 1));
  return std::nullopt;
}

/// The fields that may stand only once, so that nobody can take another one of two for the real one.
Value* single_field(RequestHead& head, std::string_view name) {
  struct Entry {
    std::string_view name;
    Value RequestHead::*member;
  };
  static constexpr Entry entries[] = {
      {"host", &RequestHead::host},
      {"origin", &RequestHead::origin},
      {"authorization", &RequestHead::authorization},
      {"content-type", &RequestHead::content_type},
      {"sec-websocket-key", &RequestHead::websocket_key},
      {"sec-websocket-version", &RequestHead::websocket_version},
      {"agentd-batch", &RequestHead::batch},
      {"access-control-request-method", &RequestHead::requested_method},
  };
  for (const Entry& entry : entries) {
    if (equals_ignoring_case(name, entry.name)) return &(head.*entry.member);
  }
  return nullptr;
}

Fault read_content_length(std::string_view value, RequestHead& head) {
  if (head.content_length) return malformed("two Content-Length");
  if (value.empty() || !std::all_of(value.begin(), value.end(), is_digit)) {
    return malformed("Content-Length is " + quote(value) + ", expected digits and nothing else");
  }
  std::uint64_t length = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), length);
  if (read.ec != std::errc()) return malformed("Content-Length is beyond all bounds");
  head.content_length = length;
  return std::nullopt;
}

Fault read_transfer_encoding(std::string_view value, RequestHead& head) {
  if (head.chunked) return malformed("two Transfer-Encoding");
  if (value != "chunked") {
    return malformed("Transfer-Encoding is " + quote(value) + ", expected exactly 'chunked'");
  }
  head.chunked = true;
  return std::nullopt;
}

void read_connection(std::string_view value, RequestHead& head) {
  while (!value.empty()) {
    const std::string_view option = trim(cut(value, ','));
    if (equals_ignoring_case(option, "close")) head.close = true;
    if (equals_ignoring_case(option, "keep-alive")) head.keep_alive = true;
    if (equals_ignoring_case(option, "upgrade")) head.connection_upgrade = true;
  }
}

void read_upgrade(std::string_view value, RequestHead& head) {
  while (!value.empty()) {
    if (equals_ignoring_case(trim(cut(value, ',')), "websocket")) head.upgrade_to_websocket = true;
  }
}

Fault read_expect(std::string_view value, RequestHead& head) {
  if (!equals_ignoring_case(value, "100-continue")) {
    return refuse_and_close(417, "Expect is " + quote(value) + ", expected 100-continue");
  }
  // RFC 9110, 10.1.1: a server ignores it in an HTTP/1.0 request.
  head.expects_continue = head.minor == 1;
  return std::nullopt;
}

Fault read_field(const Field& field, RequestHead& head) {
  const auto is = [&](std::string_view name) { return equals_ignoring_case(field.name, name); };
  if (Value* single = single_field(head, field.name)) {
    if (*single) return malformed("two " + std::string(field.name));
    *single = field.value;
    return std::nullopt;
  }
  if (is("content-length")) return read_content_length(field.value, head);
  if (is("transfer-encoding")) return read_transfer_encoding(field.value, head);
  if (is("expect")) return read_expect(field.value, head);
  if (is("connection")) read_connection(field.value, head);
  if (is("upgrade")) read_upgrade(field.value, head);
  return std::nullopt;
}

/// What only the whole header shows.
Fault check_together(const RequestHead& head, const Value& authority) {
  if (head.chunked && head.content_length) {
    return malformed("both Transfer-Encoding and Content-Length");
  }
  if (head.chunked && head.minor == 0) return malformed("Transfer-Encoding in HTTP/1.0");
  if (!head.host && head.minor == 1) return malformed("no Host");
  if (authority && (!head.host || !equals_ignoring_case(*authority, *head.host))) {
    return malformed("the target is for " + quote(*authority) + ", Host says otherwise");
  }
  return std::nullopt;
}

std::string_view take_line(std::string_view& block) {
  const std::size_t end = block.find(crlf);
  const std::string_view line = block.substr(0, end);
  block.remove_prefix(end == std::string_view::npos ? block.size() : end + crlf.size());
  return line;
}

}  // namespace

HeadScanner::State HeadScanner::scan(std::string_view bytes) {
  for (;;) {
    const std::size_t end = bytes.find('\n', scanned_);
    const bool ended = end != std::string_view::npos;
    const std::string_view line = bytes.substr(line_, (ended ? end : bytes.size()) - line_);
    const bool cr_last = line.ends_with('\r');
    const std::string_view text = line.substr(0, line.size() - (cr_last ? 1 : 0));
    if (std::any_of(text.begin() + static_cast<std::ptrdiff_t>(scanned_ > line_ ? scanned_ - line_ - 1 : 0),
                    text.end(), is_control)) {
      return State::malformed;
    }
    if (!ended) {
      scanned_ = bytes.size();
      return State::partial;
    }
    if (!cr_last) return State::malformed;
    line_ = scanned_ = end + 1;
    if (text.empty()) return State::complete;
  }
}

std::optional<Answer> read_head(std::string_view block, RequestHead& head) {
  Value authority;
  if (auto fault = read_request_line(take_line(block), head, authority)) return fault;
  unsigned fields = 0;
  for (std::string_view line = take_line(block); !line.empty(); line = take_line(block)) {
    if (++fields > max_fields) {
      return refuse_and_close(431, "more than " + std::to_string(max_fields) + " header fields");
    }
    Field field;
    if (auto fault = split_field(line, field)) return fault;
    if (auto fault = read_field(field, head)) return fault;
  }
  return check_together(head, authority);
}

}  // namespace agentd::http
