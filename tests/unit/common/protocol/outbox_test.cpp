#include "common/protocol/outbox.hpp"

#include <catch2/catch.hpp>

using agentd::protocol::Outbox;

namespace {

void put(Outbox& outbox, const std::string& object) {
  outbox.begin() += object;
  outbox.end();
}

void put_answer(Outbox& outbox, const std::string& object, bool in_batch) {
  outbox.begin() += object;
  outbox.end(in_batch);
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
  put_answer(outbox, "1", true);
  put(outbox, "2");
  CHECK(outbox.take() == "[1]");
  CHECK(outbox.take() == "2");
  outbox.pack(true);
  put_answer(outbox, "3", true);
  CHECK(outbox.take() == "[3]");
  put(outbox, "4");
  put_answer(outbox, "5", true);
  put_answer(outbox, "6", false);
  CHECK(outbox.take() == "[4,5,6]");
  CHECK(outbox.bytes() == 0);
}

TEST_CASE("who has sent a batch gets together what is alike, and other answers alone") {
  Outbox outbox;
  outbox.batch_came();
  put_answer(outbox, "1", true);
  put_answer(outbox, "2", true);
  put(outbox, "3");
  put(outbox, "4");
  put(outbox, "5");
  put_answer(outbox, "6", false);
  put_answer(outbox, "7", false);
  put(outbox, "8");
  CHECK(outbox.bytes() == 13);
  for (const char* frame : {"[1,2]", "[3,4,5]", "6", "7", "8"}) CHECK(outbox.take() == frame);
  CHECK(outbox.empty());
  CHECK(outbox.bytes() == 0);
}

TEST_CASE("the answers of two batches do not share a frame") {
  Outbox outbox;
  outbox.batch_came();
  put_answer(outbox, "1", true);
  put_answer(outbox, "2", true);
  outbox.batch_came();
  put_answer(outbox, "3", true);
  put_answer(outbox, "4", true);
  CHECK(outbox.take() == "[1,2]");
  CHECK(outbox.take() == "[3,4]");
}

TEST_CASE("what is alike shares a frame up to its size") {
  Outbox outbox;
  outbox.batch_came();
  const std::string half = sized(Outbox::frame_size / 2);
  put(outbox, half);
  put(outbox, "1");
  put(outbox, half);
  put(outbox, "2");
  CHECK(outbox.take() == "[" + half + ",1]");
  CHECK(outbox.take() == "[" + half + ",2]");
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
  put(outbox, "2");
  CHECK(outbox.take() == "[1,2]");
}

TEST_CASE("a frame from elsewhere stays as it is, and where it was put") {
  Outbox outbox;
  const auto put_all = [&] {
    put(outbox, "1");
    outbox.put_frame("[2,3]");
    outbox.put_frame("4");
    put(outbox, "5");
    put(outbox, "6");
    outbox.put_frame("7");
  };
  put_all();
  CHECK(outbox.bytes() == 10);
  for (const char* frame : {"1", "[2,3]", "4", "5", "6", "7"}) CHECK(outbox.take() == frame);
  outbox.batch_came();
  put_all();
  for (const char* frame : {"1", "[2,3]", "4", "[5,6]", "7"}) CHECK(outbox.take() == frame);
  outbox.pack(true);
  put_all();
  for (const char* frame : {"1", "[2,3]", "4", "[5,6]", "7"}) CHECK(outbox.take() == frame);
  CHECK(outbox.empty());
  CHECK(outbox.bytes() == 0);
}

TEST_CASE("an object that is too large for its frame comes before a frame that was put behind it") {
  Outbox outbox;
  outbox.pack(true);
  const std::string large = sized(Outbox::frame_size + 1);
  put(outbox, "1");
  put(outbox, large);
  outbox.put_frame("[2]");
  put(outbox, large);
  CHECK(outbox.take() == "1");
  CHECK(outbox.take() == large);
  CHECK(outbox.take() == "[2]");
  CHECK(outbox.take() == large);
  CHECK(outbox.bytes() == 0);
}

TEST_CASE("with packing, a batch that comes does not part what waits") {
  Outbox outbox;
  outbox.pack(true);
  put(outbox, "1");
  outbox.batch_came();
  put_answer(outbox, "2", true);
  CHECK(outbox.take() == "[1,2]");
}

TEST_CASE("an outbox packs once the other side has said so, and not because it has sent a batch") {
  Outbox outbox;
  CHECK_FALSE(outbox.packs());
  outbox.batch_came();
  CHECK_FALSE(outbox.packs());
  Outbox announced;
  announced.pack(true);
  CHECK(announced.packs());
}
