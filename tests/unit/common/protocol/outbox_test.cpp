#include "common/protocol/outbox.hpp"

#include <catch2/catch.hpp>

using agentd::protocol::Outbox;

namespace {

void put(Outbox& outbox, const std::string& object, bool always_array = false) {
  outbox.begin() += object;
  outbox.end(always_array);
}

std::string sized(std::size_t size) { return '"' + std::string(size - 2, 'x') + '"'; }

}  // namespace

TEST_CASE("without packing each object is a frame") {
  Outbox outbox;
  CHECK(outbox.empty());
  put(outbox, "{\"a\":1}");
  put(outbox, "{}");
  CHECK(outbox.bytes() == 9);
  CHECK(outbox.take() == "{\"a\":1}");
  CHECK(outbox.take() == "{}");
  CHECK(outbox.empty());
  CHECK(outbox.bytes() == 0);
}

TEST_CASE("with packing, what piled up is one frame") {
  Outbox outbox;
  outbox.pack(true);
  put(outbox, "{}");
  CHECK(outbox.take() == "{}");
  put(outbox, "1");
  put(outbox, "2");
  put(outbox, "3");
  CHECK(outbox.take() == "[1,2,3]");
  CHECK(outbox.empty());
  CHECK(outbox.bytes() == 0);
}

TEST_CASE("the answer to a batch's element is in an array even alone") {
  Outbox outbox;
  put(outbox, "1", true);
  put(outbox, "2");
  CHECK(outbox.take() == "[1]");
  CHECK(outbox.take() == "2");
  outbox.pack(true);
  put(outbox, "3", true);
  CHECK(outbox.take() == "[3]");
  put(outbox, "4");
  put(outbox, "5", true);
  put(outbox, "6", true);
  CHECK(outbox.take() == "[4,5,6]");
  CHECK(outbox.bytes() == 0);
}

TEST_CASE("a frame is closed at its size, and order is kept") {
  Outbox outbox;
  outbox.pack(true);
  const std::string half = sized(Outbox::frame_size / 2);
  const std::string large = sized(Outbox::frame_size + 1);
  put(outbox, half);
  put(outbox, "1");
  put(outbox, half);
  put(outbox, "2");
  put(outbox, large);
  put(outbox, "3");
  put(outbox, large);
  CHECK(outbox.take() == "[" + half + ",1]");
  CHECK(outbox.take() == "[" + half + ",2]");
  CHECK(outbox.take() == large);
  CHECK(outbox.take() == "3");
  CHECK(outbox.take() == large);
  CHECK(outbox.empty());
  CHECK(outbox.bytes() == 0);
}

TEST_CASE("packing can begin at any time") {
  Outbox outbox;
  put(outbox, "1");
  outbox.pack(true);
  CHECK(outbox.packs());
  put(outbox, "2");
  CHECK(outbox.take() == "[1,2]");
}
