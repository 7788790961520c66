#include <cstdint>
#include <string>
#include <string_view>

#include "common/json/text.hpp"
#include "common/protocol/envelope.hpp"
#include "common/protocol/values.hpp"
#include "tests/fuzz/require.hpp"

using namespace agentd;
using namespace agentd::protocol;

namespace {

constexpr unsigned deep = 128;

bool same(const detail::SharedText& a, const detail::SharedText& b) { return a && b ? *a == *b : !a && !b; }

void check_message(std::string_view text) {
  const Result<detail::MessageData> read = read_message(text);
  if (!read) return;
  std::string written;
  append_message(written, *read);
  require(!json::check(written, deep), "a written message is JSON");
  const Result<detail::MessageData> again = read_message(written);
  require(again.has_value(), "a written message is read");
  require(same(again->metadata, read->metadata), "a message is read as it was written");
  for (const auto label :
       {detail::Label::name, detail::Label::role, detail::Label::id, detail::Label::timestamp}) {
    require(again->labels.text(label) == read->labels.text(label), "with its labels");
  }
  if (read->content) require(same(again->content, read->content), "so is its content");
}

void check_placeholder(std::string_view text) {
  const Result<Placeholder> read = read_placeholder(text);
  if (!read) return;
  std::string written;
  append_placeholder(written, *read);
  require(*read_placeholder(written) == *read, "a placeholder is read as it was written");
}

void check_error(std::string_view text) {
  std::string written;
  append_error(written, read_error(text));
  require(!json::check(written, deep), "a written error is JSON");
  std::string again;
  append_error(again, read_error(written));
  require(written == again, "an error is read as it was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (json::check(text, json::max_content_depth)) return 0;
  check_message(text);
  check_placeholder(text);
  check_error(text);
  return 0;
}
