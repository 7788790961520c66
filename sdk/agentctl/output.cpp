#include "sdk/agentctl/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "common/protocol/envelope.hpp"
#include "sdk/agentctl/fields.hpp"
#include "sdk/agentctl/table.hpp"

namespace agentd::ctl {
namespace {

void write(std::FILE* file, std::string_view text) { std::fwrite(text.data(), 1, text.size(), file); }

/// JSON may hold line ends between its tokens, and only there.
std::string on_one_line(std::string_view json) {
  std::string line(json);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line += '\n';
}

void append_fact(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (!out.empty()) out += "  ";
  out += name;
  out += ": ";
  out += printable(value);
}

std::string facts_of(const Error& error) {
  std::string out;
  append_fact(out, "kind", kind_name(error.kind()));
  append_fact(out, "node", error.node());
  append_fact(out, "agent", error.agent());
  append_fact(out, "call", error.call());
  if (!error.details().is_object()) return out;
  for (const auto& [name, value] : error.details().items()) {
    append_fact(out, printable(name), value.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return out;
}

void append_description(std::string& out, const Error& error, const std::string& indent) {
  out += printable(error.message());
  out += '\n' + indent + "  " + facts_of(error);
  if (error.elided() > 0) {
    out += '\n' + indent + "  (" + std::to_string(error.elided()) + " causes in between are left out)";
  }
  if (error.cause() == nullptr) return;
  out += '\n' + indent + "  caused by: ";
  append_description(out, *error.cause(), indent + "  ");
}

}  // namespace

std::string describe(const Error& error) {
  std::string out;
  append_description(out, error, "");
  return out;
}

Output::Output(bool json) : json_(json), terminal_(::isatty(STDOUT_FILENO) == 1) {}

void Output::line(std::string_view json) const { write(stdout, on_one_line(json)); }

void Output::text(std::string_view text) const { write(stdout, text); }

void Output::note(std::string_view text) const {
  if (!json_) write(stderr, std::string(text) + '\n');
}

void Output::progress(std::string_view value) const {
  write(stderr, json_ ? on_one_line(R"({"progress":)" + std::string(value) + '}') : shown(value) + '\n');
}

void Output::error(const Error& error) const {
  std::string out;
  if (json_) {
    protocol::append_error(out, error);
    out = on_one_line(out);
  } else {
    out = "agentctl: " + describe(error) + '\n';
  }
  // What was printed before comes before, where both go to one file.
  std::fflush(stdout);
  write(stderr, out);
}

bool Output::flush() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

}  // namespace agentd::ctl
