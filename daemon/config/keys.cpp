#include "daemon/config/keys.hpp"

#include <algorithm>
#include <type_traits>

#include "common/protocol/longest_time.hpp"
#include "daemon/config/address.hpp"

namespace agentd::config {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::int64_t KiB = 1LL << 10;
constexpr std::int64_t MiB = 1LL << 20;
constexpr std::int64_t GiB = 1LL << 30;
constexpr std::int64_t one_day = 24LL * 60 * 60 * 1000;  // in milliseconds

template <typename T>
constexpr bool is_duration = false;
template <typename Rep, typename Period>
constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;

template <typename T>
std::int64_t number_of(const T& member) {
  if constexpr (is_duration<T>) {
    return member.count();
  } else {
    return static_cast<std::int64_t>(member);
  }
}

/// An integer of [least, most] that lives in `member(config)`: a number or a duration.
template <typename Member>
Key integer(std::string name, std::int64_t least, std::int64_t most, const std::string& note, Member member) {
  Key key;
  key.name = std::move(name);
  key.kind = Key::Kind::integer;
  key.least = least;
  key.most = most;
  key.allowed = "an integer from " + std::to_string(least) + " to " + std::to_string(most);
  if (!note.empty()) key.allowed += " (" + note + ")";
  key.set = [member](Config& config, const Scalar& value, const fs::path& /*base*/) {
    auto& place = member(config);
    place = static_cast<std::remove_reference_t<decltype(place)>>(std::get<std::int64_t>(value));
    return true;
  };
  key.get = [member](const Config& config) { return ordered_json(number_of(member(config))); };
  return key;
}

template <typename Member>
Key limit(std::string name, std::int64_t least, std::int64_t most, const std::string& note, Member member) {
  return integer(
      std::move(name), least, most,
      note, [member](auto& config) -> auto& { return config.node.limits.*member; });
}

template <typename Set, typename Get>
Key text(std::string name, std::string allowed, Set set, Get get) {
  Key key;
  key.name = std::move(name);
  key.kind = Key::Kind::text;
  key.allowed = std::move(allowed);
  key.set = [set](Config& config, const Scalar& value, const fs::path& base) {
    return set(config, std::get<std::string>(value), base);
  };
  key.get = [get](const Config& config) { return ordered_json(get(config)); };
  return key;
}

/// A list of texts: `read` makes an element of a text, or nothing; `write` the reverse.
template <typename Member, typename Read, typename Write>
Key list(std::string name, std::string allowed, Member member, Read read, Write write) {
  Key key;
  key.name = std::move(name);
  key.kind = Key::Kind::list;
  key.allowed = std::move(allowed);
  key.set = [member, read](Config& config, const Scalar& value, const fs::path& base) {
    auto element = read(std::get<std::string>(value), base);
    if (element) member(config).push_back(std::move(*element));
    return element.has_value();
  };
  key.clear = [member](Config& config) { member(config).clear(); };
  key.get = [member, write](const Config& config) {
    ordered_json elements = ordered_json::array();
    for (const auto& element : member(config)) elements.push_back(write(element));
    return elements;
  };
  return key;
}

std::string same(const std::string& text) { return text; }

std::string absolute(const std::string& path, const fs::path& base) {
  return path.empty() ? path : (base / path).lexically_normal().string();
}

bool has_no_controls(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

Key path(std::string name, const std::string& what, std::string Config::*member) {
  return text(
      std::move(name), what,
      [member](Config& config, const std::string& value, const fs::path& base) {
        config.*member = absolute(value, base);
        return has_no_controls(value);
      },
      [member](const Config& config) { return config.*member; });
}

Key host() {
  return text(
      "host", "an address to listen on, such as 127.0.0.1, ::1, or a host name",
      [](Config& config, const std::string& value, const fs::path&) {
        config.node.host = without_brackets(value);
        return is_host(config.node.host);
      },
      [](const Config& config) { return config.node.host; });
}

Key advertise() {
  return text(
      "advertise", "HOST[:PORT] that others can reach, an IPv6 address in brackets; or empty",
      [](Config& config, const std::string& value, const fs::path&) {
        const auto address = value.empty() ? NodeAddress{} : parse_address(value);
        if (address) config.node.advertise = *address;
        return address && reach_of(address->host) != Reach::wildcard;
      },
      [](const Config& config) { return address_text(config.node.advertise); });
}

Key peers() {
  return list(
      "peers", "HOST[:PORT] or CIDR[:PORT], IPv6 in brackets where it has a port",
      [](auto& config) -> auto& { return config.node.peers; },
      [](const std::string& element, const fs::path&) { return parse_peer(element); }, peer_text);
}

Key plugins() {
  return list(
      "plugins", "the name of a file", [](auto& config) -> auto& { return config.plugins; },
      [](const std::string& element, const fs::path& base) {
        const bool good = !element.empty() && has_no_controls(element);
        return good ? std::optional(absolute(element, base)) : std::nullopt;
      },
      same);
}

Key allowed_hosts() {
  return list(
      "allowed_hosts", "a host name or an address, without a port",
      [](auto& config) -> auto& { return config.node.allowed_hosts; },
      [](const std::string& element, const fs::path&) {
        std::string name = without_brackets(element);
        return is_host(name) ? std::optional(std::move(name)) : std::nullopt;
      },
      same);
}

/// `scheme://host[:port]`, as browsers send it.
bool is_origin(const std::string& value) {
  const std::size_t scheme = value.find("://");
  if (scheme == std::string::npos) return false;
  const std::string name = value.substr(0, scheme);
  return (name == "http" || name == "https") && parse_address(value.substr(scheme + 3));
}

Key allowed_origins() {
  return list(
      "allowed_origins", "an origin such as \"https://example.org:8443\", without a path",
      [](auto& config) -> auto& { return config.node.allowed_origins; },
      [](const std::string& element, const fs::path&) {
        return is_origin(element) ? std::optional(element) : std::nullopt;
      },
      same);
}

Key durability() {
  return text(
      "durability", R"("off" (this release keeps nothing on disk))",
      [](Config& config, const std::string& value, const fs::path&) {
        config.durable = value == "on";
        return value == "on" || value == "off";
      },
      [](const Config& config) { return std::string(config.durable ? "on" : "off"); });
}

Key log_level() {
  return text(
      "log_level", R"(one of "trace", "debug", "info", "warn", "error", "off")",
      [](Config& config, const std::string& value, const fs::path&) {
        const auto level = logging::level_from_name(value);
        if (level) config.log_level = *level;
        return level.has_value();
      },
      [](const Config& config) { return std::string(logging::level_name(config.log_level)); });
}

Key insecure() {
  Key key;
  key.name = "insecure";
  key.kind = Key::Kind::flag;
  key.allowed = "true or false";
  key.set = [](Config& config, const Scalar& value, const fs::path&) {
    config.node.insecure = std::get<bool>(value);
    return true;
  };
  key.get = [](const Config& config) { return ordered_json(config.node.insecure); };
  return key;
}

std::vector<Key> make_top_keys() {
  const std::string file = "the name of a file, or empty";
  return {
      host(),
      integer(
          "port", 0, 65535, "0 picks a free one", [](auto& c) -> auto& { return c.node.port; }),
      advertise(),
      peers(),
      path("token_file", file, &Config::token_file),
      path("peer_token_file", file, &Config::peer_token_file),
      allowed_hosts(),
      allowed_origins(),
      insecure(),
      plugins(),
      path("data_dir", "the name of a directory, or empty", &Config::data_dir),
      durability(),
      integer(
          "loops", 0, 1024, "0: the number of cores", [](auto& c) -> auto& { return c.node.loops; }),
      integer(
          "workers", 0, 4096, "0: twice the number of cores",
          [](auto& c) -> auto& { return c.node.workers; }),
      integer(
          "spin_us", 0, 10'000, "microseconds", [](auto& c) -> auto& { return c.node.spin; }),
      integer(
          "grace_ms", 0, one_day, "milliseconds", [](auto& c) -> auto& { return c.node.grace; }),
      log_level(),
  };
}

std::vector<Key> make_limit_keys() {
  const std::string bytes = "bytes";
  const std::string ms = "milliseconds";
  return {
      limit("body", KiB, GiB, bytes, &NodeLimits::body),
      limit("header", KiB, MiB, bytes, &NodeLimits::header),
      limit("connections", 1, 1'000'000, "", &NodeLimits::connections),
      limit("write_queue", 64 * KiB, GiB, bytes, &NodeLimits::write_queue),
      limit("mailbox", 1, 10'000'000, "calls", &NodeLimits::mailbox),
      limit("agents", 1, 100'000'000, "", &NodeLimits::agents),
      limit("calls", 1, 100'000'000, "", &NodeLimits::calls),
      limit("outcomes", MiB, 1024 * GiB, bytes, &NodeLimits::outcomes),
      limit("input", MiB, GiB, bytes, &NodeLimits::input),
      limit("running_inputs", MiB, 1024 * GiB, bytes, &NodeLimits::running_inputs),
      limit("batch", 1000, 10'000'000, "elements", &NodeLimits::batch),
      limit("waits", 1, 100'000'000, "requests", &NodeLimits::waits),
      limit("expected", 1, 100'000'000, "ids", &NodeLimits::expected),
      limit("tombstones", 0, 100'000'000, "ids", &NodeLimits::tombstones),
      limit("blocked_workers", 0, 4096, "threads", &NodeLimits::blocked_workers),
      limit("deadline_ms", 1, protocol::max_milliseconds, ms, &NodeLimits::deadline),
      limit("outcome_ttl_ms", 1, 365 * one_day, ms, &NodeLimits::outcome_ttl),
      limit("header_time_ms", 10, one_day, ms, &NodeLimits::header_time),
      limit("idle_time_ms", 10, one_day, ms, &NodeLimits::idle_time),
  };
}

ordered_json values_of(const std::vector<Key>& keys, const Config& config) {
  ordered_json values = ordered_json::object();
  for (const Key& key : keys) values[key.name] = key.get(config);
  return values;
}

}  // namespace

bool Key::fits(const Scalar& value) const {
  switch (kind) {
    case Kind::text:
    case Kind::list:
      return std::holds_alternative<std::string>(value);
    case Kind::flag:
      return std::holds_alternative<bool>(value);
    case Kind::integer:
      break;
  }
  const auto* number = std::get_if<std::int64_t>(&value);
  return number != nullptr && *number >= least && *number <= most;
}

const std::vector<Key>& top_keys() {
  static const std::vector<Key> keys = make_top_keys();
  return keys;
}

const std::vector<Key>& limit_keys() {
  static const std::vector<Key> keys = make_limit_keys();
  return keys;
}

const Key* find_key(const std::vector<Key>& keys, std::string_view name) {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [name](const Key& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string> names_of(const std::vector<Key>& keys) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const Key& key : keys) names.push_back(key.name);
  return names;
}

std::string print(const Config& config) {
  ordered_json all = values_of(top_keys(), config);
  all["limits"] = values_of(limit_keys(), config);
  return all.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace agentd::config
