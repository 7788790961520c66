#pragma once

#include <functional>
#include <memory>
#include <string>

#include <agentd/message.hpp>

#include "common/vocabulary/cell.hpp"
#include "sdk/src/session.hpp"

/// How an input gets to a node: by reference where the node can ask for it, by value otherwise.
namespace agentd::sdk {

/// One part of an input, as seen from the node that it goes to.
enum class PartState : std::uint8_t {
  /// Its value is here, and is sent.
  value,
  /// A reference that the node can follow is sent.
  reference,
  /// It has to be waited for: until its call has been sent (`reference` later), or until it is
  /// readable here.
  waits_for_sending,
  waits_for_value,
  failed,
};
[[nodiscard]] PartState part_state(const detail::Cell& cell, const SessionNode& target);

/// Visits the parts of an input that are no joins.
void for_each_part(const Message& input,
                   const std::function<void(const std::shared_ptr<detail::Cell>&)>& visit);

/// Whether the input is made of values only, which are all here.
[[nodiscard]] bool is_plain(const Message& input);

/// How long the contents are that are here: what is written takes little more.
[[nodiscard]] std::size_t values_size(const Message& input);

/// Appends the input's JSON. @pre no part waits for its value, and none has failed
void append_input(std::string& out, const Message& input, const SessionNode& target);

/// Whether other machines cannot reach that host.
[[nodiscard]] bool is_loopback(std::string_view host);

}  // namespace agentd::sdk
