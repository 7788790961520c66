#include "daemon/config/file.hpp"

#include <charconv>
#include <optional>
#include <set>
#include <span>

#include "common/json/text.hpp"
#include "daemon/config/keys.hpp"
#include "daemon/config/near.hpp"

namespace agentd::config {
namespace {

Error refuse(std::string message) { return {ErrorKind::invalid_params, std::move(message)}; }

std::string excerpt(std::string_view value) {
  constexpr std::size_t longest = 60;
  return std::string(value.substr(0, longest)) + (value.size() > longest ? "…" : "");
}

std::string joined(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// Nothing for what no key takes: objects, arrays, null, and numbers that are no integers.
std::optional<Scalar> scalar(std::string_view value) {
  switch (json::type_of(value)) {
    case json::Type::string:
      return Scalar(json::unquote(value));
    case json::Type::boolean:
      return Scalar(value == "true");
    case json::Type::number:
      break;
    default:
      return std::nullopt;
  }
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (failed != std::errc{} || end != value.data() + value.size()) return std::nullopt;
  return Scalar(number);
}

/// One object of the file: the outer one, or `limits`.
class Reader {
public:
  Reader(const Source& file, const std::filesystem::path& base, Config& config)
      : file_(file), base_(base), config_(config) {}

  Result<void> read_top() {
    const std::string_view all = json::trim(file_.text());
    if (json::type_of(all) != json::Type::object) {
      return refuse(file_.where(all) + ": a configuration is one JSON object, such as {}; this is " +
                    excerpt(all));
    }
    return read_object(all, top_keys(), limit_keys(), "");
  }

private:
  using Keys = std::vector<Key>;

  /// `others` are the keys of the other object, for those who took the wrong one.
  Result<void> read_object(std::string_view object, const Keys& keys, const Keys& others,
                           const std::string& path) {
    std::set<std::string> seen;
    for (json::Members members(object); members.next();) {
      const std::string name = json::unquote(members.key_token());
      if (!seen.insert(name).second) return given_twice(path + name, members);
      const auto done = read_member(name, members, keys, others, path);
      if (!done) return done;
    }
    return {};
  }

  [[nodiscard]] Result<void> given_twice(const std::string& key, const json::Members& member) const {
    return refuse(file_.where(member.key_token()) + ": the key \"" + key + "\" is given twice (here as " +
                  excerpt(member.value()) + "); keep one");
  }

  Result<void> read_member(const std::string& name, const json::Members& member, const Keys& keys,
                           const Keys& others, const std::string& path) {
    if (path.empty() && name == "limits") return read_limits(member.value());
    const Key* key = find_key(keys, name);
    if (key == nullptr) return unknown_key(name, member, keys, others, path);
    config_.origins[path + name] = file_.where(member.value());
    return key->kind == Key::Kind::list ? read_list(*key, member.value())
                                        : read_value(*key, path + name, member.value());
  }

  Result<void> read_limits(std::string_view value) {
    if (json::type_of(value) != json::Type::object) return wrong(value, "limits", "an object");
    return read_object(value, limit_keys(), top_keys(), "limits.");
  }

  Result<void> read_list(const Key& key, std::string_view value) {
    if (json::type_of(value) != json::Type::array)
      return wrong(value, key.name, "a list, each element " + key.allowed);
    key.clear(config_);
    std::size_t index = 0;
    for (json::Elements elements(value); elements.next(); ++index) {
      const auto done = read_value(key, key.name + "[" + std::to_string(index) + "]", elements.value());
      if (!done) return done;
    }
    return {};
  }

  Result<void> read_value(const Key& key, const std::string& path, std::string_view value) {
    const auto given = scalar(value);
    if (!given || !key.fits(*given) || !key.set(config_, *given, base_)) {
      return wrong(value, path, key.allowed);
    }
    return {};
  }

  [[nodiscard]] Error wrong(std::string_view value, const std::string& path,
                            const std::string& allowed) const {
    return refuse(file_.where(value) + ": \"" + path + "\" is " + excerpt(value) + "; it must be " + allowed);
  }

  [[nodiscard]] Error unknown_key(const std::string& name, const json::Members& member, const Keys& keys,
                                  const Keys& others, const std::string& path) const {
    // Without its value: that may be a secret under a wrong name.
    std::string text = file_.where(member.key_token()) + ": there is no key \"" + path + name + '"';
    const std::string near = near_name(name, names_of(keys));
    if (find_key(others, name) != nullptr) {
      text += path.empty() ? "; it belongs inside \"limits\"" : "; it belongs outside \"limits\"";
    } else if (!near.empty()) {
      text += "; did you mean \"" + path + near + "\"?";
    }
    if (!text.ends_with('?')) text += '.';
    return refuse(text + " The keys here are " + joined(names_of(keys)) + (path.empty() ? ", limits" : ""));
  }

  const Source& file_;
  const std::filesystem::path& base_;
  Config& config_;
};

}  // namespace

Result<void> apply_file(const Source& file, const std::filesystem::path& base, Config& config) {
  return Reader(file, base, config).read_top();
}

}  // namespace agentd::config
