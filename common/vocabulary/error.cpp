#include <agentd/error.hpp>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace agentd {
namespace {

struct KindName {
  ErrorKind kind;
  std::string_view name;
};

constexpr std::array kinds{
    KindName{ErrorKind::parse_error, "parse_error"},
    KindName{ErrorKind::invalid_request, "invalid_request"},
    KindName{ErrorKind::method_not_found, "method_not_found"},
    KindName{ErrorKind::invalid_params, "invalid_params"},
    KindName{ErrorKind::internal, "internal"},
    KindName{ErrorKind::agent_not_found, "agent_not_found"},
    KindName{ErrorKind::type_not_found, "type_not_found"},
    KindName{ErrorKind::call_not_found, "call_not_found"},
    KindName{ErrorKind::overloaded, "overloaded"},
    KindName{ErrorKind::deadline_exceeded, "deadline_exceeded"},
    KindName{ErrorKind::cancelled, "cancelled"},
    KindName{ErrorKind::agent_failed, "agent_failed"},
    KindName{ErrorKind::input_failed, "input_failed"},
    KindName{ErrorKind::conflict, "conflict"},
    KindName{ErrorKind::peer_unreachable, "peer_unreachable"},
    KindName{ErrorKind::peer_refused, "peer_refused"},
    KindName{ErrorKind::cycle, "cycle"},
    KindName{ErrorKind::shutting_down, "shutting_down"},
    KindName{ErrorKind::outcome_unknown, "outcome_unknown"},
    KindName{ErrorKind::agent_deleted, "agent_deleted"},
    KindName{ErrorKind::agent_crashed, "agent_crashed"},
    KindName{ErrorKind::not_supported, "not_supported"},
};

}  // namespace

std::string_view kind_name(ErrorKind kind) {
  const auto* found = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.kind == kind; });
  return found == kinds.end() ? "internal" : found->name;
}

ErrorKind kind_from_name(std::string_view name) {
  const auto* found = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.name == name; });
  return found == kinds.end() ? ErrorKind::internal : found->kind;
}

bool is_retryable(ErrorKind kind) {
  return kind == ErrorKind::overloaded || kind == ErrorKind::peer_unreachable ||
         kind == ErrorKind::shutting_down;
}

const Error& Error::root() const {
  const Error* error = this;
  while (error->cause_) error = error->cause_.get();
  return *error;
}

Error& Error::because(Error cause) {
  std::vector<const Error*> links;
  for (const Error* link = &cause; link; link = link->cause_.get()) links.push_back(link);
  // This error and `max_chain - 1` causes fit. Past that the middle goes: the first links tell the way
  // in, the last ones what failed first. Those are shared with the cause's chain, and only the first
  // are copied, so that a long row of failures does not hold a chain each.
  constexpr std::size_t room = max_chain - 1;
  constexpr std::size_t head = 4;
  if (links.size() <= room) {
    cause_ = std::make_shared<const Error>(std::move(cause));
    return *this;
  }
  const std::size_t dropped = links.size() - room;
  std::shared_ptr<const Error> chain = links[head + dropped - 1]->cause_;
  for (std::size_t i = head; i-- > 0;) {
    auto link = std::make_shared<Error>(*links[i]);
    if (i + 1 == head) {
      link->elided_ += static_cast<unsigned>(dropped);
      for (std::size_t k = head; k < head + dropped; ++k) link->elided_ += links[k]->elided_;
    }
    link->cause_ = std::move(chain);
    chain = std::move(link);
  }
  cause_ = std::move(chain);
  return *this;
}

Error& Error::with(std::string_view member, Json value) {
  details_[std::string(member)] = std::move(value);
  return *this;
}

}  // namespace agentd
