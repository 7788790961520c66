#pragma once

#include <string_view>

#include "common/json/text.hpp"

namespace agentd::json {

/// Reads a checked text that is expected to stand as one of our own writers writes it: the same members in
/// the same order, without white space between them. Several times quicker than looking at each member's
/// name, and most of what comes by the thousand is of that form.
///
///     Expected form(text, ends);
///     if (form.past(R"({"id":)") && form.string(id) && form.past("}") && form.at_end()) return id;
///     // otherwise `Members` reads it
///
/// Each step is false, and stays where it is, where something else stands there.
class Expected {
public:
  /// `ends` is of the text that this one stands in. @pre ends.known()
  Expected(std::string_view text, const Ends& ends) : rest_(text), ends_(ends) {}

  bool past(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  /// A string without escapes: its token, quotes included.
  bool string(std::string_view& token);
  /// As `string`: what stands between the quotes.
  bool plain_text(std::string_view& text);
  /// Any value.
  bool value(std::string_view& value);
  bool object(std::string_view& value) {
    return !rest_.empty() && rest_.front() == '{' && this->value(value);
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

private:
  std::string_view rest_;
  const Ends& ends_;
};

}  // namespace agentd::json
