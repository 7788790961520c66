#include <cstdint>
#include <string>
#include <string_view>

#include <agentd/ids.hpp>

#include "daemon/http/text.hpp"
#include "daemon/http/upgrade.hpp"
#include "tests/fuzz/require.hpp"

using namespace agentd::http;

namespace {

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', digits[byte >> 4U], digits[byte & 0xFU]};
  }
  return out;
}

std::variant<Upgrade, Answer> upgraded(std::string_view query, std::string_view key) {
  RequestHead head;
  head.query = query;
  head.websocket_key = key;
  return read_upgrade(head);
}

void check_query(std::string_view query) {
  const auto read = upgraded(query, "dGhlIHNhbXBsZSBub25jZQ==");
  if (const auto* refusal = std::get_if<Answer>(&read)) {
    require(refusal->status == 400, "a query that is refused is malformed");
    return;
  }
  const auto& upgrade = std::get<Upgrade>(read);
  require(upgrade.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "the query does not change the accepted key");
  require(upgrade.caller.empty() == query.empty(), "a query names a caller");
  if (upgrade.caller.empty()) return;
  require(agentd::is_caller_id(upgrade.caller), "a caller is one that a call could name");
  const std::string escaped = "caller=" + percent_encoded(upgrade.caller);
  const auto again = upgraded(escaped, "dGhlIHNhbXBsZSBub25jZQ==");
  require(std::get<Upgrade>(again).caller == upgrade.caller, "an escaped caller is the same caller");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_query(text);
  (void)upgraded("", text);
  const auto decoded = percent_decode(text);
  require(percent_decode(percent_encoded(text)) == text, "what is escaped is unescaped");
  require(!decoded || decoded->size() <= text.size(), "unescaping makes nothing longer");
  return 0;
}
