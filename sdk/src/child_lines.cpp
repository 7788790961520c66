#include "sdk/src/child_lines.hpp"

#include <cerrno>
#include <chrono>
#include <string_view>

#include <poll.h>
#include <sys/socket.h>

#include <agentd/json.hpp>

#include "sdk/src/session.hpp"

namespace agentd::sdk {
namespace {

/// For one that has more important things to do, or none at all.
constexpr int confirm_limit_ms = 1000;

std::string line_about(const NodeAddress& node, const std::string& token) {
  return Json{{"host", node.host}, {"port", node.port}, {"token", token}}.dump() + '\n';
}

bool say(int line, std::string_view text, int flags) {
  while (!text.empty()) {
    const auto count = send(line, text.data(), text.size(), MSG_NOSIGNAL | flags);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// Returns when the server shows the token too, or seems to be unable to.
void tell(int line, const NodeAddress& node, const std::string& token) {
  if (!say(line, line_about(node, token), MSG_DONTWAIT)) return;
  pollfd readable{line, POLLIN, 0};
  if (poll(&readable, 1, confirm_limit_ms) <= 0) return;
  char confirmed = 0;
  (void)!recv(line, &confirmed, 1, MSG_DONTWAIT);
}

}  // namespace

ChildLines& ChildLines::instance() {
  static ChildLines& lines = *new ChildLines;
  return lines;
}

ChildLines::ChildLines() {
  Session::instance().when_token_is_set(
      [this](const NodeAddress& node, const std::string& token) { tell_all(node, token); });
}

ChildLines::Tokens ChildLines::introduce(int line) {
  Tokens tokens = Session::instance().tokens();
  std::string text;
  for (const auto& [node, token] : tokens) text += line_about(node, token);
  // One that has ended already is found out by what it says.
  (void)say(line, text + '\n', 0);
  return tokens;
}

void ChildLines::add(int line, const Tokens& told) {
  const std::lock_guard lock(mutex_);
  lines_.push_back(line);
  for (const auto& [node, token] : Session::instance().tokens()) {
    const auto known = told.find(node);
    if (known == told.end() || known->second != token) tell(line, node, token);
  }
}

void ChildLines::remove(int line) {
  const std::lock_guard lock(mutex_);
  std::erase(lines_, line);
}

void ChildLines::tell_all(const NodeAddress& node, const std::string& token) {
  const std::lock_guard lock(mutex_);
  for (const int line : lines_) tell(line, node, token);
}

}  // namespace agentd::sdk
