#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "common/json/text.hpp"
#include "tests/fuzz/require.hpp"

using namespace agentd;

namespace {

/// What the other parser takes, and JSON does not: it stops at a NUL and skips a byte order mark.
bool other_is_lenient(std::string_view text) {
  return text.find('\0') != std::string_view::npos || text.starts_with("\xef\xbb\xbf");
}

/// Nothing where the other parser stops before it can tell: at a number beyond a double.
std::optional<bool> other_accepts(std::string_view text) try {
  (void)nlohmann::json::parse(text);
  return true;
} catch (const nlohmann::json::out_of_range&) {
  return std::nullopt;
} catch (const nlohmann::json::parse_error&) {
  return false;
}

void read_everything(std::string_view text) {
  std::string storage;
  for (json::Members members(text); members.next();) {
    (void)json::unquote(members.key_token(), storage);
    (void)json::depth_of(members.value());
  }
  for (json::Elements elements(text); elements.next();) (void)json::unquote(elements.value());
  (void)json::canonical(text);
}

/// Whether each level reads the same, with the ends that the check noted and without.
bool reads_alike(std::string_view text, const json::Ends& ends) {
  json::Members with(text, &ends);
  json::Members without(text);
  while (without.next()) {
    if (!with.next() || with.value() != without.value() || !reads_alike(with.value(), ends)) return false;
  }
  if (with.next()) return false;
  json::Elements one(text, &ends);
  json::Elements other(text);
  while (other.next()) {
    if (!one.next() || one.value() != other.value() || !reads_alike(one.value(), ends)) return false;
  }
  return !one.next();
}

void check_written_string(std::string_view bytes) {
  std::string token;
  json::append_string(token, bytes);
  require(!json::check(token, 0), "a written string is JSON");
  std::string again;
  json::append_string(again, json::unquote(token));
  require(token == again, "a string is read as it was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Whatever the bytes, nothing is read past their end.
  read_everything(text);
  check_written_string(text);

  unsigned depth = 0;
  json::Ends ends;
  const auto fault = json::check(text, json::max_content_depth, &depth, &ends);
  if (fault) {
    require(fault->offset <= text.size(), "a fault is within the text");
    if (!fault->too_deep && !other_is_lenient(text))
      require(!other_accepts(text).value_or(false), "both refuse");
    return 0;
  }
  require(other_accepts(text).value_or(true), "both accept");
  require(json::depth_of(text) == depth, "both count the same depth");
  if (ends.known()) require(reads_alike(json::trim(text), ends), "the noted ends are where containers end");
  const std::string canonical = json::canonical(text);
  require(!json::check(canonical, json::max_content_depth), "canonical text is JSON");
  require(json::canonical(canonical) == canonical, "canonical text stays as it is");
  return 0;
}
