#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <agentd/agent.hpp>
#include <agentd/version.hpp>

namespace agentd::detail {

/// The version, and the sizes of these types: `… sizes-80-32`, and a null at the end.
template <typename... Types>
consteval auto abi_text() {
  constexpr std::string_view version = AGENTD_ABI_VERSION " sizes";
  constexpr std::size_t most_digits = 5;
  std::array<char, version.size() + sizeof...(Types) * (1 + most_digits) + 1> text{};
  std::size_t end = 0;
  for (const char c : version) text[end++] = c;
  const auto append = [&](std::size_t size) {
    text[end++] = '-';
    std::size_t unit = 1;
    while (size / unit >= 10) unit *= 10;
    for (; unit > 0; unit /= 10) text[end++] = static_cast<char>('0' + size / unit % 10);
  };
  (append(sizeof(Types)), ...);
  return text;
}

/// What a plugin and the daemon that loads it must have in common: the layouts of our types, of the
/// compiler's, and of the JSON library's. Equal texts mean that they fit; a layout that changes and keeps its
/// size needs another version. Hidden: a plugin must not see the daemon's in place of its own.
[[gnu::visibility("hidden")]] inline constexpr auto abi =
    abi_text<CallId, Placeholder, AgentAddress, Error, Message, AgentRef, CallOptions, Agent, AgentType>();

}  // namespace agentd::detail
