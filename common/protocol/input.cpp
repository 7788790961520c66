#include <array>

#include "common/json/text.hpp"
#include "common/protocol/describe.hpp"
#include "common/protocol/marked.hpp"
#include "common/protocol/message_members.hpp"
#include "common/protocol/near.hpp"
#include "common/protocol/placeholder_text.hpp"
#include "common/protocol/values.hpp"

namespace agentd::protocol {
namespace {

namespace field = message_member;

constexpr std::size_t most_parts = 10'000;

Error invalid(std::string message) { return {ErrorKind::invalid_params, std::move(message)}; }

Error too_many(std::string_view what) {
  return invalid("an input with more than " + std::to_string(most_parts) + ' ' + std::string(what) +
                 "; send fewer of them in one call");
}

/// What stands in an object, without knowing yet whether it is a message.
struct ObjectMembers {
  std::array<std::string_view, field::count> values;
  std::size_t count = 0;
  std::string_view first_key;
  std::string_view first_value;
  /// Key tokens of what a message does not have, and of what is there twice.
  std::string_view unknown_key;
  std::string_view doubled_key;

  ObjectMembers(std::string_view object, const json::Ends* ends) {
    for (json::Members members(object, ends); members.next(); ++count) {
      if (count == 0) {
        first_key = members.key_token();
        first_value = members.value();
      }
      take(members);
    }
  }

  [[nodiscard]] bool is_only(std::string_view key) const {
    return count == 1 && json::token_is(first_key, key);
  }

private:
  void take(const json::Members& members) {
    const field::Index member = field::of_token(members.key_token());
    if (member == field::count) {
      if (unknown_key.empty()) unknown_key = members.key_token();
    } else if (values[member].empty()) {
      values[member] = members.value();
    } else if (doubled_key.empty()) {
      doubled_key = members.key_token();
    }
  }
};

/// Reads an input part by part. Answers false where something is wrong; `error()` then says what.
class InputReader {
public:
  InputReader(Input& input, bool check_depth, const json::Ends* ends)
      : input_(input), check_depth_(check_depth), ends_(ends) {}

  bool run(std::string_view text) {
    if (text.empty() || text == "null") return true;
    if (text.front() != '[') return part(text);
    input_.list = true;
    for (json::Elements elements(text, ends_); elements.next();) {
      if (input_.parts.size() == most_parts) return refuse(too_many("elements"));
      if (!part(elements.value())) return false;
    }
    return true;
  }

  [[nodiscard]] Error& error() { return *error_; }

private:
  bool refuse(Error error) {
    error_ = std::move(error);
    return false;
  }

  bool part(std::string_view text) {
    InputPart& part = input_.parts.emplace_back();
    if (text.front() != '{') return content_text(part, text);
    const ObjectMembers members(text, ends_);
    if (members.is_only("$placeholder")) return placeholder(members.first_value, part.whole);
    if (members.is_only("$literal")) return literal(part, members.first_value);
    if (members.values[field::content].empty()) return content_text(part, text);
    return message(part, members);
  }

  bool placeholder(std::string_view body, std::optional<Placeholder>& into) {
    Result<Placeholder> read = read_placeholder_body(body);
    if (!read) return refuse(read.error());
    into = std::move(*read);
    return true;
  }

  bool message(InputPart& part, const ObjectMembers& members) {
    if (!members.unknown_key.empty()) return refuse(unknown_member(members.unknown_key));
    if (!members.doubled_key.empty()) {
      return refuse({ErrorKind::invalid_request, "member " + in_quotes(json::unquote(members.doubled_key)) +
                                                     " of a message is given twice; give it once"});
    }
    detail::MessageData& data = part.message;
    return labels(members, data) && metadata_object(members, data) &&
           content_text(part, members.values[field::content]);
  }

  static Error unknown_member(std::string_view key_token) {
    const std::string key = json::unquote(key_token);
    return invalid("unknown member " + in_quotes(key) + " beside \"content\"" +
                   did_you_mean(near_names(key, field::names)) +
                   "; a message takes content, name, role, metadata, id, timestamp. To send an object "
                   "that has a member \"content\" of its own, put it into {\"content\": …}");
  }

  bool labels(const ObjectMembers& members, detail::MessageData& data) {
    detail::Labels::Tokens tokens;
    for (const auto& [member, label] : field::labels) {
      const std::string_view value = members.values[member];
      if (!value.empty() && value.front() != '"') return wrong(member, value, "a string");
      tokens[static_cast<std::size_t>(label)] = field::label_token(value);
    }
    data.labels = detail::Labels::copy(tokens);
    return true;
  }

  bool metadata_object(const ObjectMembers& members, detail::MessageData& data) {
    const std::string_view value = members.values[field::metadata];
    if (value.empty() || value == "null") return true;
    if (value.front() != '{') return wrong(field::metadata, value, "an object or null");
    if (!fits(value)) return false;
    data.metadata = detail::SharedText::copy(value);
    return true;
  }

  bool wrong(field::Index member, std::string_view value, std::string_view allowed) {
    return refuse(invalid("member " + in_quotes(field::names[member]) + " of a message is " + shown(value) +
                          "; it takes " + std::string(allowed)));
  }

  bool fits(std::string_view value) {
    if (!check_depth_ || json::depth_of(value) <= json::max_content_depth) return true;
    return refuse({ErrorKind::parse_error, "a message's content or metadata is nested deeper than " +
                                               std::to_string(json::max_content_depth)});
  }

  /// A content that is not looked into.
  bool literal(InputPart& part, std::string_view value) {
    if (!fits(value)) return false;
    part.message.content = detail::SharedText::copy(value);
    return true;
  }

  bool content_text(InputPart& part, std::string_view text) {
    const std::vector<Marked> marked = find_marked(text);
    // A literal as the whole content is nothing to fill in later.
    if (marked.size() == 1 && marked[0].kind == Marked::Kind::literal && marked[0].length == text.size()) {
      return literal(part, marked[0].value);
    }
    holes_ += marked.size();
    if (holes_ > most_parts) return refuse(too_many("placeholders and literals"));
    for (const Marked& mark : marked) {
      if (!hole(part, mark)) return false;
    }
    part.message.content = detail::SharedText::copy(text);
    // The marks themselves do not count as depth: what takes their place does.
    return marked.empty() || !check_depth_ ? fits(text) : fits(fill(part, {}));
  }

  bool hole(InputPart& part, const Marked& mark) {
    Hole& hole = part.holes.emplace_back();
    hole.offset = mark.offset;
    hole.length = mark.length;
    if (mark.kind == Marked::Kind::placeholder) return placeholder(mark.value, hole.placeholder);
    hole.literal = mark.value;
    return true;
  }

  Input& input_;
  const bool check_depth_;
  const json::Ends* const ends_;
  std::size_t holes_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<Input> read_input(std::string_view text, bool check_depth, const json::Ends* ends) {
  Result<Input> input{boost::system::in_place_value};
  InputReader reader(*input, check_depth, ends);
  if (!reader.run(json::trim(text))) input = Result<Input>(std::move(reader.error()));
  return input;
}

std::string fill(const InputPart& part, const std::vector<detail::SharedText>& fillings) {
  const std::string_view text = part.message.content ? *part.message.content : "null";
  std::string filled;
  std::size_t at = 0;
  for (std::size_t i = 0; i < part.holes.size(); ++i) {
    const Hole& hole = part.holes[i];
    filled += text.substr(at, hole.offset - at);
    at = hole.offset + hole.length;
    if (!hole.placeholder) {
      filled += hole.literal;
    } else {
      filled += i < fillings.size() && fillings[i] ? *fillings[i] : "null";
    }
  }
  filled += text.substr(at);
  return filled;
}

}  // namespace agentd::protocol
