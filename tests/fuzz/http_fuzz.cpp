#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "daemon/http/request_body.hpp"
#include "daemon/http/request_head.hpp"
#include "tests/fuzz/require.hpp"

using namespace agentd::http;

namespace {

constexpr std::uint64_t limit = 1000;

struct Body {
  BodyReader::State state = BodyReader::State::partial;
  std::string text;
  std::size_t taken = 0;

  bool operator==(const Body&) const = default;
};

/// Feeds `bytes` in parts of `size`.
Body read_body(const RequestHead& head, std::string_view bytes, std::size_t size) {
  BodyReader reader;
  if (head.chunked) {
    reader.expect_chunks(limit);
  } else {
    reader.expect_length(head.content_length.value_or(0));
  }
  Body body;
  while (body.state == BodyReader::State::partial && body.taken < bytes.size()) {
    std::span<const char> part(bytes.substr(body.taken, size));
    const std::size_t before = part.size();
    body.state = reader.feed(part);
    body.taken += before - part.size();
  }
  if (body.state == BodyReader::State::complete) body.text = reader.text();
  return body;
}

HeadScanner::State scan_byte_by_byte(std::string_view bytes, std::size_t& size) {
  HeadScanner scanner;
  for (std::size_t end = 1; end <= bytes.size(); ++end) {
    const HeadScanner::State state = scanner.scan(bytes.substr(0, end));
    if (state == HeadScanner::State::complete) size = scanner.size();
    if (state != HeadScanner::State::partial) return state;
  }
  return HeadScanner::State::partial;
}

void check_head(const RequestHead& head) {
  require(!(head.chunked && head.content_length), "a body has one framing");
  require(head.minor == 0 || head.host, "HTTP/1.1 has a host");
  require(head.path.starts_with('/') || head.path == "*", "a path begins with a slash");
  require(head.path.find_first_of(" \r\n\t?#") == std::string_view::npos, "a path has no separators");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  HeadScanner scanner;
  const HeadScanner::State state = scanner.scan(bytes);
  std::size_t size_in_parts = 0;
  // Byte by byte, a fault behind the header's end is never reached; at once, neither.
  require(scan_byte_by_byte(bytes, size_in_parts) == state, "how a header is cut does not matter");
  if (state != HeadScanner::State::complete) return 0;
  require(size_in_parts == scanner.size(), "how a header is cut does not move its end");
  RequestHead head;
  if (const auto refusal = read_head(bytes.substr(0, scanner.size()), head)) {
    require(refusal->close && refusal->status >= 400, "a refused header ends the connection");
    return 0;
  }
  check_head(head);
  const std::string_view rest = bytes.substr(scanner.size());
  const Body whole = read_body(head, rest, rest.size() + 1);
  require(whole == read_body(head, rest, 1), "how a body is cut does not matter");
  require(!head.chunked || whole.text.size() <= limit, "a body keeps to its limit");
  return 0;
}
