#include "sdk/agentctl/pages.hpp"

#include <algorithm>

#include "common/json/text.hpp"
#include "sdk/agentctl/table.hpp"

namespace agentd::ctl {
namespace {

/// What a node answers at once, at most.
constexpr std::uint32_t longest_page = 1000;
constexpr std::uint32_t longest_list = 1'000'000;

}  // namespace

void ListOptions::add_to(CLI::App& command) {
  command.add_option("--limit", limit, "List that many at most [100]")
      ->type_name("N")
      ->check(CLI::Range(std::uint32_t{1}, longest_list));
  add_text(command, "--cursor", cursor, "CURSOR", "Go on where a list ended: the next_cursor of its JSON");
}

Listing list(Client& client, std::string_view method, std::string_view name, const std::vector<Param>& filter,
             const ListOptions& options) {
  Listing listing;
  std::string entries;
  std::string cursor = json_string(options.cursor);
  std::uint32_t listed = 0;
  for (unsigned pages = 1;; ++pages) {
    std::vector<Param> params = filter;
    params.push_back({"limit", std::to_string(std::min(longest_page, options.limit - listed))});
    params.push_back({"cursor", cursor});
    std::string page = client.ask(method, object(params));
    for (const std::string_view entry : elements(member(page, name))) {
      if (listed++ > 0) entries += ',';
      entries += entry;
    }
    cursor = std::string(member(page, "next_cursor"));
    listing.more = !cursor.empty();
    if (!listing.more || listed >= options.limit) {
      listing.json =
          pages == 1 ? std::move(page) : object({{name, '[' + entries + ']'}, {"next_cursor", cursor}});
      return listing;
    }
  }
}

void print(const Output& output, const Listing& listing, std::string_view name,
           const std::vector<Column>& columns) {
  if (output.json()) return output.line(listing.json);
  std::vector<std::string> head;
  head.reserve(columns.size());
  for (const Column& column : columns) head.emplace_back(column.head);
  Table table(std::move(head));
  const auto entries = elements(member(listing.json, name));
  for (const std::string_view entry : entries) {
    std::vector<std::string> row;
    row.reserve(columns.size());
    for (const Column& column : columns) row.push_back(shown_member(entry, column.member));
    table.add(std::move(row));
  }
  output.text(table.text(output.terminal()));
  if (listing.more) {
    output.note("these are the first " + std::to_string(entries.size()) + "; there are more: raise --limit");
  }
}

}  // namespace agentd::ctl
