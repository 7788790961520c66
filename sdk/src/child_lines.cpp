#include "sdk/src/child_lines.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <poll.h>
#include <sys/socket.h>

#include <agentd/json.hpp>

#include "sdk/src/session.hpp"

namespace agentd::sdk {
namespace {

/// For one that has more important things to do, or none at all.
constexpr std::chrono::seconds confirm_limit{1};

using Clock = ChildLines::Clock;

std::string line_about(const NodeAddress& node, const std::string& token) {
  return Json{{"host", node.host}, {"port", node.port}, {"token", token}}.dump() + '\n';
}

/// Waits until one of `events` is there; false where none is by then.
bool wait_for(int line, short events, Clock::time_point until) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd waiting{line, events, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

bool is_for_later() { return errno == EAGAIN || errno == EINTR; }

/// Sends what there is room for, and leaves the rest; false where nobody hears it any more.
bool send_some(int line, std::string& text) {
  if (text.empty()) return true;
  const auto count = send(line, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0) return is_for_later();
  text.erase(0, static_cast<std::size_t>(count));
  return true;
}

/// Takes the confirmations that are there; false where there will be none any more.
bool take_confirmations(int line, std::size_t& unconfirmed) {
  char confirmed[64];
  const auto count = recv(line, confirmed, std::min(sizeof confirmed, unconfirmed), MSG_DONTWAIT);
  if (count <= 0) return count < 0 && is_for_later();
  unconfirmed -= static_cast<std::size_t>(count);
  return true;
}

}  // namespace

ChildLines& ChildLines::instance() {
  static ChildLines& lines = *new ChildLines;
  return lines;
}

ChildLines::ChildLines() {
  Session::instance().when_token_is_set([this](const NodeAddress& node) { tell_all(node); });
}

ChildLines::Tokens ChildLines::introduce(int line, Clock::time_point until) {
  Tokens tokens = Session::instance().tokens();
  std::string text;
  for (const auto& [node, token] : tokens) text += line_about(node, token);
  text += '\n';
  // One that has ended already is found out by what it says.
  while (!text.empty() && wait_for(line, POLLOUT, until) && send_some(line, text)) {
  }
  return tokens;
}

void ChildLines::add(int descriptor, const Tokens& told) {
  const std::lock_guard lock(mutex_);
  Line& line = lines_.emplace_back(Line{descriptor, {}, 0});
  for (const auto& [node, token] : Session::instance().tokens()) {
    const auto known = told.find(node);
    if (known == told.end() || known->second != token) tell(line, node, token);
  }
}

void ChildLines::remove(int descriptor) {
  const std::lock_guard lock(mutex_);
  std::erase_if(lines_, [descriptor](const Line& line) { return line.descriptor == descriptor; });
}

/// Returns when the server shows the token too, or seems to be unable to.
void ChildLines::tell(Line& line, const NodeAddress& node, const std::string& token) {
  line.unsent += line_about(node, token);
  ++line.unconfirmed;
  const auto until = Clock::now() + confirm_limit;
  while (line.unconfirmed > 0) {
    const auto events = static_cast<short>(line.unsent.empty() ? POLLIN : POLLIN | POLLOUT);
    if (!wait_for(line.descriptor, events, until)) return;
    if (!send_some(line.descriptor, line.unsent)) return;
    if (!take_confirmations(line.descriptor, line.unconfirmed)) return;
  }
}

void ChildLines::tell_all(const NodeAddress& node) {
  const std::lock_guard lock(mutex_);
  const std::string token = Session::instance().token(node);
  for (Line& line : lines_) tell(line, node, token);
}

}  // namespace agentd::sdk
