#include <array>
#include <unordered_set>

#include "common/protocol/describe.hpp"
#include "common/protocol/envelope.hpp"

namespace agentd::protocol {
namespace {

constexpr unsigned max_frame_depth = json::max_content_depth + json::max_envelope_depth;

enum Member : unsigned { jsonrpc, id, method, params, result, error, none };
constexpr std::array<std::string_view, none> names = {"jsonrpc", "id", "method", "params", "result", "error"};

Member member_named(std::string_view key) {
  const auto either = [key](Member member) { return key == names[member] ? member : none; };
  switch (key.size()) {
    case 2:
      return either(id);
    case 5:
      return either(error);
    case 6:
      return either(key[0] == 'm' ? method : key[0] == 'p' ? params : result);
    case 7:
      return either(jsonrpc);
    default:
      return none;
  }
}

Error parse_error(const json::Fault& fault) {
  const std::string what =
      fault.too_deep ? "an object nested deeper than " + std::to_string(max_frame_depth) : fault.what;
  return {ErrorKind::parse_error,
          "the text is no JSON that is accepted here: " + what + ", at byte " + std::to_string(fault.offset)};
}

bool is(std::string_view value, json::Type type) { return json::type_of(value) == type; }

/// Reads one object into an envelope.
class ObjectReader {
public:
  ObjectReader(Envelope& envelope, const json::Ends& ends) : envelope_(envelope) { envelope.ends = &ends; }

  void run(std::string_view object) {
    if (!is(object, json::Type::object)) {
      return invalid("a JSON-RPC message is an object; this is " +
                     std::string(type_name(json::type_of(object))));
    }
    for (json::Members members(object, envelope_.ends); members.next();)
      take(members.key_token(), members.value());
    read_id();
    if (!doubled_.empty()) return invalid("member " + in_quotes(doubled_) + " is given twice; give it once");
    if (!version()) return;
    if (has(method) || !(has(result) || has(error))) return request();
    response();
  }

private:
  [[nodiscard]] bool has(Member member) const { return !values_[member].empty(); }

  void invalid(std::string message) {
    envelope_.kind = Envelope::Kind::invalid;
    if (!envelope_.problem) envelope_.problem.emplace(ErrorKind::invalid_request, std::move(message));
  }

  void take(std::string_view key_token, std::string_view value) {
    Member member = member_named(key_token.substr(1, key_token.size() - 2));
    if (member == none) {
      // Looked at again: the name may be written with escapes.
      std::string storage;
      const std::string_view key = json::unquote(key_token, storage);
      member = member_named(key);
      if (member == none) return take_unknown(key);
    }
    if (!has(member)) {
      values_[member] = value;
      return;
    }
    if (doubled_.empty()) doubled_ = names[member];
    // Which of two ids the sender meant cannot be known.
    if (member == id) id_doubled_ = true;
  }

  void take_unknown(std::string_view key) {
    if (!unknown_) unknown_.emplace();
    if (!unknown_->emplace(key).second && doubled_.empty()) doubled_ = key;
  }

  void read_id() {
    if (!has(id) || id_doubled_) return;
    switch (json::type_of(values_[id])) {
      case json::Type::string:
      case json::Type::number:
      case json::Type::null:
        envelope_.id = values_[id];
        return;
      default:
        invalid("\"id\" is " + std::string(type_name(json::type_of(values_[id]))) +
                "; it takes a string, a number or null");
    }
  }

  bool version() {
    if (values_[jsonrpc] == R"("2.0")" || json::token_is(values_[jsonrpc], "2.0")) return true;
    invalid(has(jsonrpc) ? "\"jsonrpc\" is " + shown(values_[jsonrpc]) + R"(; it takes "2.0")"
                         : std::string(R"("jsonrpc" is missing; it takes "2.0")"));
    return false;
  }

  void request() {
    if (!has(method)) return invalid("\"method\" is missing; it takes a string");
    if (!is(values_[method], json::Type::string)) {
      return invalid("\"method\" is " + shown(values_[method]) + "; it takes a string");
    }
    if (has(params) && !is(values_[params], json::Type::object) && !is(values_[params], json::Type::array)) {
      return invalid("\"params\" is " + shown(values_[params]) + "; it takes an object or an array");
    }
    if (envelope_.problem) return;
    envelope_.method = json::unquote(values_[method], envelope_.method_storage);
    envelope_.params = values_[params];
    envelope_.kind = has(id) ? Envelope::Kind::request : Envelope::Kind::notification;
  }

  void response() {
    if (has(result) && has(error)) return invalid("a response has \"result\" or \"error\", not both");
    if (!has(id)) return invalid("\"id\" of a response is missing");
    if (has(error) && !is(values_[error], json::Type::object)) {
      return invalid("\"error\" is " + shown(values_[error]) + "; it takes an object");
    }
    if (envelope_.problem) return;
    envelope_.result = values_[result];
    envelope_.error = values_[error];
    envelope_.kind = Envelope::Kind::response;
  }

  Envelope& envelope_;
  std::array<std::string_view, none> values_;
  std::string doubled_;
  bool id_doubled_ = false;
  /// Made where there are some: the usual envelope has none.
  std::optional<std::unordered_set<std::string>> unknown_;
};

void clear(Envelope& envelope) {
  envelope.kind = Envelope::Kind::invalid;
  envelope.method = envelope.id = envelope.params = envelope.result = envelope.error = {};
  envelope.problem.reset();
  envelope.method_storage.clear();
}

}  // namespace

std::optional<Error> FrameReader::open(std::string_view text) {
  single_ = {};
  elements_.reset();
  text = json::trim(text);
  const bool batch = !text.empty() && text.front() == '[';
  // The batch's own brackets are not held against its elements.
  if (const auto fault = json::check(text, max_frame_depth + (batch ? 1 : 0), &depth_, &ends_)) {
    return parse_error(*fault);
  }
  if (!batch) {
    single_ = text;
    return std::nullopt;
  }
  --depth_;
  elements_.emplace(text, &ends_);
  if (!json::Elements(*elements_).next()) {
    elements_.reset();
    return Error(ErrorKind::invalid_request, "the batch is empty; send at least one object, or nothing");
  }
  return std::nullopt;
}

bool FrameReader::next(Envelope& envelope) {
  std::string_view object = single_;
  if (elements_) {
    if (!elements_->next()) return false;
    object = elements_->value();
  } else if (object.empty()) {
    return false;
  }
  single_ = {};
  clear(envelope);
  ObjectReader(envelope, ends_).run(object);
  return true;
}

}  // namespace agentd::protocol
