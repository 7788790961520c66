#include "common/json/text.hpp"
#include "common/protocol/describe.hpp"
#include "common/protocol/marked.hpp"
#include "common/protocol/message_members.hpp"
#include "common/protocol/values.hpp"

namespace agentd::protocol {
namespace {

namespace field = message_member;

/// Writes a message's members in one order, leaving out those not given.
class MessageWriter {
public:
  explicit MessageWriter(std::string& out) : out_(out) {}

  void write(const detail::MessageData& data, bool literal) {
    string(field::id, data.id);
    string(field::name, data.name);
    string(field::role, data.role);
    begin(field::content);
    if (literal) out_ += R"({"$literal":)";
    out_ += data.content ? std::string_view(*data.content) : "null";
    if (literal) out_ += '}';
    if (data.metadata) {
      begin(field::metadata);
      out_ += *data.metadata;
    }
    string(field::timestamp, data.timestamp);
    out_ += '}';
  }

private:
  void begin(field::Index member) {
    out_ += separator_;
    out_ += '"';
    out_ += field::names[member];
    out_ += "\":";
    separator_ = ',';
  }

  void string(field::Index member, const std::string& text) {
    if (text.empty()) return;
    begin(member);
    json::append_string(out_, text);
  }

  std::string& out_;
  char separator_ = '{';
};

std::string* string_member(detail::MessageData& data, field::Index member) {
  switch (member) {
    case field::name:
      return &data.name;
    case field::role:
      return &data.role;
    case field::id:
      return &data.id;
    case field::timestamp:
      return &data.timestamp;
    default:
      return nullptr;
  }
}

Error wrong(field::Index member, std::string_view value, std::string_view allowed) {
  return {ErrorKind::invalid_params, "member " + in_quotes(field::names[member]) + " of a value is " +
                                         shown(value) + "; it takes " + std::string(allowed)};
}

}  // namespace

bool needs_literal(std::string_view content) { return !find_marked(content).empty(); }

void append_message(std::string& out, const detail::MessageData& message) {
  MessageWriter(out).write(message, false);
}

void append_input_message(std::string& out, const detail::MessageData& message) {
  MessageWriter(out).write(message, message.content && needs_literal(*message.content));
}

Result<detail::MessageData> read_message(std::string_view text, const json::Ends* ends) {
  if (json::type_of(text) != json::Type::object) {
    return Error(ErrorKind::invalid_params, "a value is a message, an object; this is " + shown(text));
  }
  Result<detail::MessageData> read{detail::MessageData{}};
  for (json::Members members(text, ends); members.next();) {
    const field::Index member = field::of_token(members.key_token());
    const std::string_view value = members.value();
    if (std::string* const into = string_member(*read, member)) {
      if (json::type_of(value) != json::Type::string) return wrong(member, value, "a string");
      *into = json::unquote(value);
    } else if (member == field::content) {
      read->content = std::make_shared<const std::string>(value);
    } else if (member == field::metadata && json::type_of(value) != json::Type::null) {
      if (json::type_of(value) != json::Type::object) return wrong(member, value, "an object or null");
      read->metadata = std::make_shared<const std::string>(value);
    }
  }
  return read;
}

}  // namespace agentd::protocol
