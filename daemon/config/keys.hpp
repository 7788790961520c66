#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "daemon/config/config.hpp"

namespace agentd::config {

/// One value as it was given, its type already the key's.
using Scalar = std::variant<std::string, std::int64_t, bool>;

/// A key of the configuration: its name, what it may be, and where it lives in a `Config`. The file,
/// the flags, and `--print-config` all work from the same table of keys.
struct Key {
  enum class Kind { text, integer, flag, list };

  std::string name;
  Kind kind = Kind::text;
  /// Completes "it must be …", said of a value; of a list, of an element.
  std::string allowed;
  /// Of an integer.
  std::int64_t least = 0;
  std::int64_t most = 0;

  /// Takes one value (of a list: one more element); false where it is not allowed. Relative paths
  /// start at `base`.
  std::function<bool(Config&, const Scalar&, const std::filesystem::path& base)> set;
  /// Empties a list, which a new list replaces whole.
  std::function<void(Config&)> clear;
  std::function<nlohmann::ordered_json(const Config&)> get;

  /// Whether a value's type and range are right.
  [[nodiscard]] bool fits(const Scalar& value) const;
};

/// The keys of the file's object, in the order in which they are printed.
[[nodiscard]] const std::vector<Key>& top_keys();
/// The keys of the object `limits`.
[[nodiscard]] const std::vector<Key>& limit_keys();

/// Null where there is none.
[[nodiscard]] const Key* find_key(const std::vector<Key>& keys, std::string_view name);
[[nodiscard]] std::vector<std::string> names_of(const std::vector<Key>& keys);

/// The whole configuration as JSON that can be loaded again. No secrets: files are named, not read.
[[nodiscard]] std::string print(const Config& config);

}  // namespace agentd::config
