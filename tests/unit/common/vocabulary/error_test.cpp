#include <agentd/error.hpp>

#include <catch2/catch.hpp>

using agentd::Error;
using agentd::ErrorKind;

namespace {

constexpr ErrorKind all_kinds[] = {
    ErrorKind::parse_error,       ErrorKind::invalid_request, ErrorKind::method_not_found,
    ErrorKind::invalid_params,    ErrorKind::internal,        ErrorKind::agent_not_found,
    ErrorKind::type_not_found,    ErrorKind::call_not_found,  ErrorKind::overloaded,
    ErrorKind::deadline_exceeded, ErrorKind::cancelled,       ErrorKind::agent_failed,
    ErrorKind::input_failed,      ErrorKind::conflict,        ErrorKind::peer_unreachable,
    ErrorKind::peer_refused,      ErrorKind::cycle,           ErrorKind::shutting_down,
    ErrorKind::outcome_unknown,   ErrorKind::agent_deleted,   ErrorKind::agent_crashed,
    ErrorKind::not_supported};

Error failed(unsigned number) {
  Error error(ErrorKind::input_failed, std::to_string(number));
  return error.at_agent("agent-" + std::to_string(number));
}

/// Link 0 failed first; each link is the cause of the next.
Error chain_of(unsigned links) {
  Error error = failed(0);
  for (unsigned i = 1; i < links; ++i) {
    Error next = failed(i);
    error = next.because(std::move(error));
  }
  return error;
}

struct Count {
  unsigned shown = 0;
  unsigned elided = 0;
};

Count count(const Error& error) {
  Count count;
  for (const Error* link = &error; link; link = link->cause()) {
    ++count.shown;
    count.elided += link->elided();
  }
  return count;
}

}  // namespace

TEST_CASE("every kind has a name of its own, and is found by it") {
  for (const ErrorKind kind : all_kinds) {
    INFO(agentd::kind_name(kind));
    CHECK(agentd::kind_from_name(agentd::kind_name(kind)) == kind);
  }
  CHECK(agentd::kind_name(ErrorKind::cycle) == "cycle");
  CHECK(agentd::kind_from_name("of a later version") == ErrorKind::internal);
}

TEST_CASE("an error tells its code and whether it can be retried") {
  CHECK(Error(ErrorKind::overloaded, "").code() == -32013);
  CHECK(Error(ErrorKind::overloaded, "").retryable());
  CHECK(Error(ErrorKind::peer_unreachable, "").retryable());
  CHECK(Error(ErrorKind::shutting_down, "").retryable());
  CHECK_FALSE(Error(ErrorKind::agent_failed, "").retryable());
  CHECK(Error().kind() == ErrorKind::internal);
}

TEST_CASE("an error without a cause is its own root") {
  const Error error(ErrorKind::agent_failed, "x");
  CHECK(error.cause() == nullptr);
  CHECK(&error.root() == &error);
  CHECK(error.details().is_null());
}

TEST_CASE("a chain of causes that fits is kept whole") {
  const Error error = chain_of(Error::max_chain);
  CHECK(count(error).shown == Error::max_chain);
  CHECK(count(error).elided == 0);
  CHECK(error.root().message() == "0");
}

TEST_CASE("a longer chain loses its middle, never its root, and says how much") {
  for (const unsigned links : {Error::max_chain + 1, Error::max_chain + 2, 100U, 1000U}) {
    const Error error = chain_of(links);
    INFO(links);
    CHECK(count(error).shown == Error::max_chain);
    CHECK(count(error).shown + count(error).elided == links);
    CHECK(error.message() == std::to_string(links - 1));
    CHECK(error.cause()->message() == std::to_string(links - 2));
    CHECK(error.root().message() == "0");
    CHECK(error.root().agent() == "agent-0");
  }
}

TEST_CASE("links that were left out are missing in one place, where the count is") {
  const Error error = chain_of(60);
  for (const Error* link = &error; link->cause(); link = link->cause()) {
    const int gap = std::stoi(link->message()) - std::stoi(link->cause()->message()) - 1;
    CHECK(gap == static_cast<int>(link->elided()));
  }
}

TEST_CASE("two long chains joined keep count of what either had lost") {
  Error front = failed(1000);
  // A cause that came over the wire may be long and shortened already.
  const Error back = chain_of(200);
  front.because(back);
  CHECK(count(front).shown + count(front).elided == 201);
}

TEST_CASE("a copy of an error shares its cause") {
  const Error error = chain_of(3);
  const Error copy = error;
  CHECK(copy.cause() == error.cause());
}

TEST_CASE("details are members by name") {
  Error error(ErrorKind::overloaded, "full");
  error.with("limit", "mailbox").with("path", {"a", "b"});
  CHECK(error.details() == agentd::Json{{"limit", "mailbox"}, {"path", {"a", "b"}}});
}
