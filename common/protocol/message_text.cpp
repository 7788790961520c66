#include "common/json/text.hpp"
#include "common/protocol/describe.hpp"
#include "common/protocol/marked.hpp"
#include "common/protocol/message_members.hpp"
#include "common/protocol/values.hpp"

namespace agentd::protocol {
namespace {

/// Writes a message's members in one order, leaving out those not given.
class MessageWriter {
public:
  explicit MessageWriter(std::string& out) : out_(out) {}

  void write(const detail::MessageData& data, bool literal) {
    string(id, data.id);
    string(name, data.name);
    string(role, data.role);
    begin(content);
    if (literal) out_ += R"({"$literal":)";
    out_ += data.content ? std::string_view(*data.content) : "null";
    if (literal) out_ += '}';
    if (data.metadata) {
      begin(metadata);
      out_ += *data.metadata;
    }
    string(timestamp, data.timestamp);
    out_ += '}';
  }

private:
  void begin(MessageMember member) {
    out_ += separator_;
    out_ += '"';
    out_ += message_member_names[member];
    out_ += "\":";
    separator_ = ',';
  }

  void string(MessageMember member, const std::string& text) {
    if (text.empty()) return;
    begin(member);
    json::append_string(out_, text);
  }

  std::string& out_;
  char separator_ = '{';
};

std::string* string_member(detail::MessageData& data, MessageMember member) {
  switch (member) {
    case name:
      return &data.name;
    case role:
      return &data.role;
    case id:
      return &data.id;
    case timestamp:
      return &data.timestamp;
    default:
      return nullptr;
  }
}

Error wrong(MessageMember member, std::string_view value, std::string_view allowed) {
  return {ErrorKind::invalid_params, "member " + in_quotes(message_member_names[member]) + " of a value is " +
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

Result<detail::MessageData> read_message(std::string_view text) {
  if (json::type_of(text) != json::Type::object) {
    return Error(ErrorKind::invalid_params, "a value is a message, an object; this is " + shown(text));
  }
  Result<detail::MessageData> read{detail::MessageData{}};
  std::string storage;
  for (json::Members members(text); members.next();) {
    const MessageMember member = message_member(json::unquote(members.key_token(), storage));
    const std::string_view value = members.value();
    if (std::string* const into = string_member(*read, member)) {
      if (json::type_of(value) != json::Type::string) return wrong(member, value, "a string");
      *into = json::unquote(value);
    } else if (member == content) {
      read->content = std::make_shared<const std::string>(value);
    } else if (member == metadata && json::type_of(value) != json::Type::null) {
      if (json::type_of(value) != json::Type::object) return wrong(member, value, "an object or null");
      read->metadata = std::make_shared<const std::string>(value);
    }
  }
  return read;
}

}  // namespace agentd::protocol
