#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "daemon/config/file.hpp"
#include "daemon/config/keys.hpp"
#include "tests/fuzz/require.hpp"

using namespace agentd;
using namespace agentd::config;

namespace {

const std::filesystem::path base = "/etc/agentd";

/// The configuration that a file makes of the defaults.
Result<Config> loaded(std::string text) {
  const auto source = Source::from_text("file", std::move(text));
  if (!source) return source.error();
  Config config;
  const auto applied = apply_file(*source, base, config);
  if (!applied) return applied.error();
  return config;
}

void check_comments(std::string_view text) {
  std::string blanked(text);
  const std::size_t open = blank_comments(blanked);
  require(blanked.size() == text.size(), "every byte stays where it is");
  require(open == std::string::npos || text.substr(open).starts_with("/*"), "a comment begins with /*");
  if (open != std::string::npos) return;
  std::string again = blanked;
  require(blank_comments(again) == std::string::npos && again == blanked, "no comment is left");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_comments(text);
  const auto config = loaded(std::string(text));
  if (!config) {
    require(config.error().message().starts_with("file:"), "what is wrong is said with its place");
    return 0;
  }
  const std::string printed = print(*config);
  const auto again = loaded(printed);
  require(again.has_value(), "what is printed can be loaded");
  require(print(*again) == printed, "and is the same configuration");
  return 0;
}
