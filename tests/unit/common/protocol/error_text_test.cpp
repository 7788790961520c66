#include <catch2/catch.hpp>
#include <string>

#include "common/json/text.hpp"
#include "common/protocol/envelope.hpp"

using namespace agentd;
using namespace agentd::protocol;

namespace {

std::string written(const Error& error) {
  std::string out;
  append_error(out, error);
  REQUIRE_FALSE(json::check(out, 80));
  return out;
}

}  // namespace

TEST_CASE("an error says its kind, whether to retry, and where it was") {
  Error error(ErrorKind::overloaded, "full");
  error.at_call("c").at_agent("a").at_node("h:1").with("limit", "mailbox");
  CHECK(written(error) == R"({"code":-32013,"message":"full","data":{"kind":"overloaded","retryable":true,)"
                          R"("call":"c","agent":"a","node":"h:1","limit":"mailbox"}})");
}

TEST_CASE("an error with its causes is read back as it was") {
  Error root(ErrorKind::agent_failed, "no \xe2\x82\xac");
  root.at_node("h:2").with("more", {1, 2});
  Error error(ErrorKind::input_failed, "an input failed");
  error.because(root).with_elided(3);
  const Error read = read_error(written(error));
  CHECK(read.kind() == ErrorKind::input_failed);
  CHECK(read.elided() == 3);
  REQUIRE(read.cause() != nullptr);
  CHECK(read.cause()->kind() == ErrorKind::agent_failed);
  CHECK(read.cause()->message() == root.message());
  CHECK(read.cause()->node() == "h:2");
  CHECK(read.cause()->details() == Json{{"more", {1, 2}}});
  CHECK(written(read) == written(error));
}

TEST_CASE("a message of any bytes makes a valid error") {
  CHECK_THAT(written(Error(ErrorKind::agent_failed, "\xff\n")), Catch::Contains("\"\xef\xbf\xbd\\n\""));
  Error error(ErrorKind::agent_failed, "x");
  error.with("bytes", "\xff").with("kind", "mine");
  const Error read = read_error(written(error));
  CHECK(read.kind() == ErrorKind::agent_failed);
  CHECK(read.details() == Json{{"bytes", "\xef\xbf\xbd"}});
}

TEST_CASE("a long chain of causes stays within the depth limit") {
  Error error(ErrorKind::agent_failed, "root");
  for (int i = 0; i < 100; ++i) error = Error(ErrorKind::input_failed, "link").because(std::move(error));
  CHECK(json::depth_of(written(error)) <= json::max_content_depth);
  CHECK(read_error(written(error)).root().message() == "root");
}

TEST_CASE("errors of other servers keep what they say") {
  const Error unknown_kind = read_error(R"({"code":-32014,"message":"late","data":{"kind":"too_late"}})");
  CHECK(unknown_kind.kind() == ErrorKind::deadline_exceeded);
  const Error bare = read_error(R"({"code":-32601,"message":"Method not found"})");
  CHECK(bare.kind() == ErrorKind::method_not_found);
  CHECK(bare.details().is_null());
  const Error foreign = read_error(R"({"code":5,"message":"m","data":"text"})");
  CHECK(foreign.kind() == ErrorKind::internal);
  CHECK(foreign.details() == Json{{"code", 5}, {"data", "text"}});
  CHECK(read_error("{}").kind() == ErrorKind::internal);
  CHECK(read_error("7").kind() == ErrorKind::internal);
  CHECK(read_error("7").message() == "an error without a message: 7");
  CHECK(read_error(R"({"code":1,"message":""})").message().empty());
  CHECK(read_error(R"({"code":1.5,"message":3,"data":{"cause":4,"elided":-1}})").cause() == nullptr);
}
