#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <agentd/ids.hpp>

#include "common/protocol/longest_time.hpp"
#include "common/protocol/param_errors.hpp"
#include "common/protocol/result.hpp"

/// How the readers of params read. Inside this room only.
namespace agentd::protocol {

enum class Need : bool { optional, required };

/// Reads the members of one object strictly: unknown, doubled and missing ones are refused, and
/// values of the wrong type. Remembers the first thing that is wrong, and answers empty values from
/// then on, so that a reader asks for one member after the other and looks once, at the end.
///
///     constexpr std::string_view names[] = {"agent", "as"};
///     ParamReader params({"agent.clone", names}, text);
///     AgentCloneParams read{params.agent_id("agent", Need::required), params.agent_id("as")};
///     return params.finish(std::move(read));
///
/// Views point into the text. One thread.
class ParamReader {
public:
  static constexpr std::size_t max_members = 8;

  /// @pre at most `max_members` names
  ParamReader(const ParamOwner& owner, std::string_view text);

  /// The member's text; empty where it is not given.
  [[nodiscard]] std::string_view raw(std::string_view name) const;

  std::string string(std::string_view name, std::string_view allowed, bool (*fits)(std::string_view),
                     Need need = Need::optional);
  std::string name(std::string_view name, Need need = Need::optional);
  std::string agent_id(std::string_view name, Need need = Need::optional);
  CallId call_id(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most,
                                      std::string_view unit, Need need = Need::optional);
  std::optional<std::chrono::milliseconds> milliseconds(std::string_view name, std::int64_t least);
  /// The text of an object or array, not opened.
  std::string object(std::string_view name);
  std::string_view array(std::string_view name, std::string_view allowed);

  void refuse(Error error);
  void refuse(std::string_view name, std::string_view allowed);
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  [[nodiscard]] Error& error() { return *error_; }

  template <typename T>
  [[nodiscard]] Result<T> finish(T read) {
    if (error_) return std::move(*error_);
    return read;
  }

private:
  void take(std::string_view key_token, std::string_view value);
  [[nodiscard]] std::size_t index_of(std::string_view name) const;
  [[nodiscard]] bool given(std::string_view name, std::string_view allowed, Need need);

  ParamOwner owner_;
  std::array<std::string_view, max_members> values_;
  std::optional<Error> error_;
};

}  // namespace agentd::protocol
