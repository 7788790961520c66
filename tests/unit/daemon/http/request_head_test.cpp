#include "daemon/http/request_head.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace agentd::http;

namespace {

constexpr std::string_view minimal = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string with_fields(const std::string& fields) {
  return "POST /rpc HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

unsigned status_of(const std::string& block) {
  RequestHead head;
  const auto refusal = read_head(block, head);
  REQUIRE((!refusal || refusal->close));
  return refusal ? refusal->status : 200;
}

/// What is read points into `block`: for literals, and for what does not look at texts.
RequestHead head_of(std::string_view block) {
  RequestHead head;
  const auto refusal = read_head(block, head);
  INFO((refusal ? refusal->body : ""));
  REQUIRE_FALSE(refusal);
  return head;
}

}  // namespace

TEST_CASE("a header is found complete whichever way it is cut") {
  for (std::size_t cut = 0; cut < minimal.size(); ++cut) {
    HeadScanner scanner;
    CHECK(scanner.scan(minimal.substr(0, cut)) == HeadScanner::State::partial);
    REQUIRE(scanner.scan(minimal) == HeadScanner::State::complete);
    CHECK(scanner.size() == minimal.size());
  }
}

TEST_CASE("a header that comes byte by byte is found complete at its last byte") {
  HeadScanner scanner;
  for (std::size_t size = 0; size < minimal.size(); ++size) {
    REQUIRE(scanner.scan(minimal.substr(0, size)) == HeadScanner::State::partial);
  }
  CHECK(scanner.scan(minimal) == HeadScanner::State::complete);
}

TEST_CASE("a header ends before the body, whatever is in the body") {
  HeadScanner scanner;
  REQUIRE(scanner.scan(std::string(minimal) + "\n\0\r") == HeadScanner::State::complete);
  CHECK(scanner.size() == minimal.size());
}

TEST_CASE("line ends other than CRLF and control characters are seen at once") {
  using namespace std::string_literals;
  const std::string block =
      GENERATE("GET / HTTP/1.1\n"s, "GET / HTTP/1.1\r\nHost: a\n"s, "GET / HTTP/1.1\rHost: a"s,
               "GET / HTTP/1.1\r\nA: b\rc: d\r\n"s, "GET / HTTP/1.1\r\nA: \0\r\n"s,
               "GET / HTTP/1.1\r\nA: \x7f\r\n"s, "GET / HTTP/1.1\r\nA: \x1b\r\n"s, "\n"s);
  CHECK(HeadScanner().scan(block) == HeadScanner::State::malformed);
}

TEST_CASE("a CR at the end of what has arrived is judged when the next byte is there") {
  const std::string block = "GET / HTTP/1.1\r\nA: b\rc";
  HeadScanner scanner;
  REQUIRE(scanner.scan(std::string_view(block).substr(0, block.size() - 1)) == HeadScanner::State::partial);
  CHECK(scanner.scan(block) == HeadScanner::State::malformed);
}

TEST_CASE("the request line is taken apart") {
  const RequestHead head = head_of("GET /ws?caller=a%2Fb HTTP/1.0\r\n\r\n");
  CHECK(head.method == "GET");
  CHECK(head.path == "/ws");
  CHECK(head.query == "caller=a%2Fb");
  CHECK(head.minor == 0);
}

TEST_CASE("a malformed request line is refused") {
  const std::string line =
      GENERATE("GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET\t/ HTTP/1.1",
               "GET / HTTP/1.2", "GET / HTTP/2.0", "GET / http/1.1", "GET / HTTP/1.1x", "GET rpc HTTP/1.1",
               "GET /a b HTTP/1.1", "GET /\xc3\xa4 HTTP/1.1", "GET /#a HTTP/1.1", "G(T / HTTP/1.1",
               "* HTTP/1.1", "GET * HTTP/1.1", "CONNECT a:80 HTTP/1.1", "GET https://a/ HTTP/1.1", "");
  INFO(line);
  CHECK(status_of(line + "\r\nHost: a\r\n\r\n") == 400);
}

TEST_CASE("an absolute target is taken where it names the host that Host names") {
  CHECK(head_of("GET http://a:1/rpc?x HTTP/1.1\r\nHost: a:1\r\n\r\n").path == "/rpc");
  CHECK(head_of("GET http://A HTTP/1.1\r\nHost: a\r\n\r\n").path == "/");
  CHECK(status_of("GET http://b/rpc HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET http://a:2/rpc HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET http://a@b/rpc HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET http://a/rpc HTTP/1.0\r\n\r\n") == 400);
}

TEST_CASE("fields are read whatever their case, without the spaces around them") {
  const std::string block = with_fields("ORIGIN: \t http://x \t\r\ncontent-TYPE:application/json\r\n");
  const RequestHead head = head_of(block);
  CHECK(head.origin == "http://x");
  CHECK(head.content_type == "application/json");
  CHECK_FALSE(head.authorization);
}

TEST_CASE("header fields that two readers could take differently are refused") {
  const std::string fields = GENERATE(
      "Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n",
      "Content-Length: 1, 1\r\n", "Content-Length: +1\r\n", "Content-Length: -1\r\n",
      "Content-Length: 1 1\r\n", "Content-Length: 0x1\r\n", "Content-Length: \r\n", "Content-Length: 1.0\r\n",
      "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: gzip\r\n",
      "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, chunked\r\n",
      "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: chunked;a=b\r\n",
      "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: Chunked\r\n",
      "Transfer-Encoding: \"chunked\"\r\n", "Transfer-Encoding:\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
      "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding : chunked\r\n",
      "Content-Length : 1\r\n", "Content-Length\t: 1\r\n", "A: b\r\n c\r\n", "A: b\r\n\tc\r\n", "A\r\n",
      ": b\r\n", "A b: c\r\n", "\xc3\xa4: c\r\n", "Host: a\r\n", "Host: b\r\n", "hOST: a\r\n",
      "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", "Origin: a\r\nOrigin: b\r\n",
      "Content-Type: a\r\nContent-Type: b\r\n", "Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: a\r\n");
  INFO(fields);
  CHECK(status_of(with_fields(fields)) == 400);
}

TEST_CASE("the framing of a body is read") {
  CHECK(head_of(with_fields("Content-Length: 0012\r\n")).content_length == 12);
  CHECK(head_of(with_fields("Content-Length: 12\r\n")).has_body());
  CHECK_FALSE(head_of(with_fields("Content-Length: 0\r\n")).has_body());
  CHECK(head_of(with_fields("Transfer-Encoding: chunked \r\n")).chunked);
  CHECK(status_of("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
}

TEST_CASE("HTTP/1.1 needs Host, HTTP/1.0 does not") {
  CHECK(status_of("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.0\r\n\r\n") == 200);
}

TEST_CASE("whether a connection persists follows the version and Connection") {
  CHECK(head_of(with_fields("")).persistent());
  CHECK_FALSE(head_of(with_fields("Connection: Close\r\n")).persistent());
  CHECK_FALSE(head_of(with_fields("Connection: x, close\r\n")).persistent());
  CHECK_FALSE(head_of("GET / HTTP/1.0\r\n\r\n").persistent());
  CHECK(head_of("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").persistent());
}

TEST_CASE("an upgrade is seen in lists and in any case") {
  const RequestHead head =
      head_of(with_fields("Connection: keep-alive, Upgrade\r\nUpgrade: h2c, WebSocket\r\n"));
  CHECK(head.connection_upgrade);
  CHECK(head.upgrade_to_websocket);
}

TEST_CASE("only 100-continue may be expected") {
  CHECK(head_of(with_fields("Expect: 100-Continue\r\n")).expects_continue);
  CHECK(status_of(with_fields("Expect: 200-ok\r\n")) == 417);
  CHECK_FALSE(head_of("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expects_continue);
}

TEST_CASE("more than a hundred fields are refused") {
  std::string fields;
  for (int i = 0; i < 99; ++i) fields += "A: b\r\n";
  CHECK(status_of(with_fields(fields)) == 200);
  CHECK(status_of(with_fields(fields + "A: b\r\n")) == 431);
}
