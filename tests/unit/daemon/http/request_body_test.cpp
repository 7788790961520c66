#include "daemon/http/request_body.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace agentd::http;

namespace {

using State = BodyReader::State;

struct Read {
  State state;
  std::string text;
  std::size_t left;
};

/// Feeds `input` in parts of `size` bytes.
Read feed(BodyReader& reader, std::string_view input, std::size_t size) {
  State state = State::partial;
  while (state == State::partial && !input.empty()) {
    const std::string_view part = input.substr(0, size);
    std::span<const char> span(part.data(), part.size());
    state = reader.feed(span);
    input.remove_prefix(part.size() - span.size());
  }
  return {state, state == State::complete ? std::string(reader.text()) : "", input.size()};
}

Read chunks(std::string_view input, std::size_t size = 1, std::uint64_t limit = 100) {
  BodyReader reader;
  reader.expect_chunks(limit);
  return feed(reader, input, size);
}

}  // namespace

TEST_CASE("a body of a given length is put together from any parts, and nothing behind it is taken") {
  const std::size_t size = GENERATE(1, 2, 3, 5, 7, 100);
  BodyReader reader;
  reader.expect_length(5);
  const Read read = feed(reader, "helloPOST", size);
  CHECK(read.state == State::complete);
  CHECK(read.text == "hello");
  CHECK(read.left == 4);
}

TEST_CASE("a body that is there as a whole is not copied") {
  const std::string input = "hello";
  BodyReader reader;
  reader.expect_length(input.size());
  std::span<const char> span(input);
  REQUIRE(reader.feed(span) == State::complete);
  CHECK(static_cast<const void*>(reader.text().data()) == input.data());
}

TEST_CASE("a body of no bytes is complete at once") {
  BodyReader reader;
  reader.expect_length(0);
  std::span<const char> nothing;
  CHECK(reader.feed(nothing) == State::complete);
  CHECK(reader.text().empty());
}

TEST_CASE("a reader can be used for one body after another") {
  BodyReader reader;
  reader.expect_length(3);
  CHECK(feed(reader, "abc", 1).text == "abc");
  reader.expect_chunks(10);
  CHECK(feed(reader, "2\r\nde\r\n0\r\n\r\n", 1).text == "de");
  reader.release();
  reader.expect_length(1);
  CHECK(feed(reader, "f", 1).text == "f");
}

TEST_CASE("chunks are put together from any parts") {
  const std::size_t size = GENERATE(1, 2, 3, 4, 5, 100);
  const Read read =
      chunks("3\r\nabc\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: x\r\nB: c\r\n\r\nrest", size);
  CHECK(read.state == State::complete);
  CHECK(read.text == "abc0123456789");
  CHECK(read.left == 4);
}

TEST_CASE("malformed chunks are refused") {
  const std::string input =
      GENERATE("\r\n", "g\r\n", " 1\r\na\r\n", "1 \r\na\r\n", "+1\r\na\r\n", "0x1\r\na\r\n", "1\na\r\n",
               "1\r\na\n", "1\r\nab\r\n", "1\r\na\r\r\n", "1\r\r\na", "1;a\nb\r\n", "1;\x01\r\n",
               "1\r\na\r\n0\n\n", "0\r\n\n", "0\r\nA: b\n\r\n", "0\r\nA\rb\r\n", ";\r\n");
  INFO(input);
  CHECK(chunks(input).state == State::malformed);
}

TEST_CASE("chunks beyond the limit are refused before they are stored") {
  CHECK(chunks("64\r\n", 1, 100).state == State::partial);
  CHECK(chunks("65\r\n", 1, 100).state == State::too_large);
  CHECK(chunks("3\r\nabc\r\n2\r\n", 1, 4).state == State::too_large);
  CHECK(chunks("fffffffff\r\n").state == State::too_large);
  CHECK(chunks("ffffffff\r\n").state == State::too_large);
}

TEST_CASE("extensions and trailers are bounded") {
  CHECK(chunks("1;" + std::string(9000, 'a')).state == State::malformed);
  CHECK(chunks("0\r\n" + std::string(9000, 'a')).state == State::malformed);
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "0\r\nA: b\r\n";
  CHECK(chunks(many).state == State::malformed);
}
