#include "common/json/append.hpp"
#include "common/json/text.hpp"
#include "common/protocol/describe.hpp"
#include "common/protocol/marked.hpp"
#include "common/protocol/message_members.hpp"
#include "common/protocol/values.hpp"

namespace agentd::protocol {
namespace {

namespace field = message_member;
using detail::Label;

/// Writes a message's members in one order, leaving out those not given.
class MessageWriter {
public:
  explicit MessageWriter(std::string& out) : out_(out) {}

  void write(const detail::MessageData& data, bool literal) {
    label(field::id, data.labels.token(Label::id));
    label(field::name, data.labels.token(Label::name));
    label(field::role, data.labels.token(Label::role));
    begin(field::content);
    if (literal) out_ += R"({"$literal":)";
    out_ += data.content ? *data.content : "null";
    if (literal) out_ += '}';
    if (data.metadata) {
      begin(field::metadata);
      out_ += *data.metadata;
    }
    label(field::timestamp, data.labels.token(Label::timestamp));
    out_ += '}';
  }

private:
  void begin(field::Index member) {
    json::append_all(out_, separator_, field::names[member], "\":");
    separator_ = ",\"";
  }

  void label(field::Index member, std::string_view token) {
    if (token.empty()) return;
    begin(member);
    out_ += token;
  }

  std::string& out_;
  std::string_view separator_ = "{\"";
};

using Values = std::array<std::string_view, field::count>;

void read_members(std::string_view text, const json::Ends* ends, Values& values) {
  for (json::Members members(text, ends); members.next();) {
    const field::Index member = field::of_token(members.key_token());
    if (member != field::count) values[member] = members.value();
  }
}

Error wrong(field::Index member, std::string_view value, std::string_view allowed) {
  return {ErrorKind::invalid_params, "member " + in_quotes(field::names[member]) + " of a value is " +
                                         shown(value) + "; it takes " + std::string(allowed)};
}

detail::MessageData copy_apart(const MessageText& text) {
  detail::MessageData data;
  data.content = detail::SharedText::copy(text.content);
  if (!text.metadata.empty()) data.metadata = detail::SharedText::copy(text.metadata);
  data.labels = detail::Labels::copy(text.labels);
  return data;
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
  Values values;
  read_members(text, ends, values);
  for (const auto& [member, label] : field::labels) {
    if (!values[member].empty() && values[member].front() != '"')
      return wrong(member, values[member], "a string");
  }
  std::string_view& metadata = values[field::metadata];
  if (metadata == "null") metadata = {};
  if (!metadata.empty() && metadata.front() != '{')
    return wrong(field::metadata, metadata, "an object or null");
  if (values[field::content].empty()) {
    return Error(ErrorKind::invalid_params,
                 "a value is a message, and has a content; this is " + shown(text));
  }
  MessageText read{text, values[field::content], metadata, {}};
  for (const auto& [member, label] : field::labels) {
    read.labels[static_cast<std::size_t>(label)] = field::label_token(values[member]);
  }
  return copy_message(read);
}

detail::MessageData copy_message(const MessageText& text) {
  // A slice keeps the whole in memory: it is one only where there is little more than the content.
  constexpr std::size_t most_beside = 512;
  if (text.whole.size() - text.content.size() > most_beside) return copy_apart(text);
  detail::SharedText whole = detail::SharedText::copy(text.whole);
  const auto copied = [&](std::string_view part) {
    return part.empty() ? part
                        : std::string_view(whole->data() + (part.data() - text.whole.data()), part.size());
  };
  detail::MessageData data;
  data.content = whole.slice(copied(text.content));
  if (!text.metadata.empty()) data.metadata = detail::SharedText::copy(text.metadata);
  detail::Labels::Tokens tokens;
  for (std::size_t label = 0; label < tokens.size(); ++label) tokens[label] = copied(text.labels[label]);
  data.labels = detail::Labels(std::move(whole), tokens);
  return data;
}

}  // namespace agentd::protocol
