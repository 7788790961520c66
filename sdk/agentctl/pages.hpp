#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/agentctl/command.hpp"
#include "sdk/agentctl/fields.hpp"

namespace agentd::ctl {

/// A list of the node's, or as much of it as was asked for.
struct Listing {
  /// As the node answers it: its own text for a single page, otherwise the pages put together.
  std::string json;
  bool more = false;
};

/// The options that every list has.
struct ListOptions {
  std::uint32_t limit = 100;
  std::string cursor;

  void add_to(CLI::App& command);
};

/// Asks for pages until there are `options.limit` entries or no more. `name` is the list's member
/// (`agents`, `calls`), `filter` what else the method is asked.
[[nodiscard]] Listing list(Client& client, std::string_view method, std::string_view name,
                           const std::vector<Param>& filter, const ListOptions& options);

/// Prints it: as JSON, or as a table of those members under those heads.
struct Column {
  const char* head;
  const char* member;
};
void print(const Output& output, const Listing& listing, std::string_view name,
           const std::vector<Column>& columns);

}  // namespace agentd::ctl
