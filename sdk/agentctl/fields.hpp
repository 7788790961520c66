#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agentd::ctl {

/// A JSON value as a table shows it: a string's characters, anything else as its JSON.
[[nodiscard]] std::string shown(std::string_view value);

/// The characters of a string token.
[[nodiscard]] std::string unquoted(std::string_view token);

/// A member of a checked object's text; empty where there is none. The view points into `object`.
[[nodiscard]] std::string_view member(std::string_view object, std::string_view name);
/// As `shown`; a dash where there is none, or null.
[[nodiscard]] std::string shown_member(std::string_view object, std::string_view name);

/// The elements of a checked array's text; nothing for any other text.
[[nodiscard]] std::vector<std::string_view> elements(std::string_view array);

/// An object's members, one a line: `name  value`. Those of the members named in `open` are shown
/// one by one, as `name.member`; an `error` is shown with its chain of causes.
[[nodiscard]] std::string record(std::string_view object, const std::vector<std::string_view>& open = {});

/// The text of an object with these members; a value is JSON, and a member without one is left out.
struct Param {
  std::string_view name;
  std::string value;
};
[[nodiscard]] std::string object(const std::vector<Param>& members);
/// A string's JSON; empty (no member) for an empty one.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace agentd::ctl
