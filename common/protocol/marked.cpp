#include "common/protocol/marked.hpp"

#include <optional>

#include "common/json/scan.hpp"
#include "common/json/text.hpp"

namespace agentd::protocol {
namespace {

bool may_have_marks(std::string_view text) {
  if (text.find('$') != std::string_view::npos) return true;
  // A `$` may hide in an escape; the digits of 0024 have no capitals.
  return text.find('\\') != std::string_view::npos && text.find("\\u0024") != std::string_view::npos;
}

std::optional<Marked::Kind> mark_of(std::string_view key_token) {
  if (json::token_is(key_token, "$placeholder")) return Marked::Kind::placeholder;
  if (json::token_is(key_token, "$literal")) return Marked::Kind::literal;
  return std::nullopt;
}

/// Marks are noted where an object *closes*, and then those inside it are dropped: deciding at its
/// opening would mean to look ahead to its end, again and again in nested ones.
class Finder {
public:
  explicit Finder(std::string_view text) : begin_(text.data()), end_(text.data() + text.size()) {}

  std::vector<Marked> run() {
    for (const char* at = begin_; (at = json::scan::bracket_or_quote(at, end_)) != end_;) at = take(at);
    return std::move(found_);
  }

private:
  struct Open {
    const char* at;
    std::size_t members = 0;
    std::optional<Marked::Kind> mark;
    const char* value = nullptr;
  };

  const char* take(const char* at) {
    switch (*at) {
      case '"':
        return take_string(at);
      case '{':
      case '[':
        open_.push_back({at, 0, std::nullopt, nullptr});
        break;
      default:
        close(at);
        break;
    }
    return at + 1;
  }

  const char* take_string(const char* at) {
    const char* const behind = json::scan::past_string(at, end_);
    const char* const next = json::scan::past_space(behind, end_);
    if (next != end_ && *next == ':' && !open_.empty()) {
      Open& object = open_.back();
      if (++object.members == 1) {
        object.mark = mark_of({at, static_cast<std::size_t>(behind - at)});
        object.value = next + 1;
      }
    }
    return behind;
  }

  void close(const char* at) {
    if (open_.empty()) return;
    const Open object = open_.back();
    open_.pop_back();
    if (object.members != 1 || !object.mark) return;
    const auto offset = static_cast<std::size_t>(object.at - begin_);
    while (!found_.empty() && found_.back().offset > offset) found_.pop_back();
    const std::string_view value(object.value, static_cast<std::size_t>(at - object.value));
    found_.push_back({*object.mark, offset, static_cast<std::size_t>(at + 1 - object.at), json::trim(value)});
  }

  const char* const begin_;
  const char* const end_;
  std::vector<Open> open_;
  std::vector<Marked> found_;
};

}  // namespace

std::vector<Marked> find_marked(std::string_view text) {
  if (!may_have_marks(text)) return {};
  return Finder(text).run();
}

}  // namespace agentd::protocol
