#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <agentd/local.hpp>

#include "daemon/node/node.hpp"
#include "sdk/src/launcher.hpp"
#include "sdk/src/session.hpp"
#include "sdk/src/start_error.hpp"

namespace agentd {
namespace sdk {
namespace {

constexpr std::chrono::microseconds spin_time{50};

/// It acts for the program that launched it, with that program's rights, so it dials whatever node a
/// placeholder names, as the program could. Its own port is on loopback, where it asks for no token:
/// what another user of this machine could have it do, that user can do without it.
NodeConfig config_for(std::uint16_t port) {
  NodeConfig config;
  config.host = "127.0.0.1";
  config.port = port;
  config.peers = {{"0.0.0.0/0", 0}, {"::/0", 0}};
  config.spin = spin_time;
  return config;
}

void say(int line, const std::string& text) {
  // The parent may be gone, which is known soon enough.
  (void)!send(line, text.data(), text.size(), MSG_NOSIGNAL);
}

/// What the parent says: the tokens that it shows to other nodes, as `ChildLines` tells them. Its end is this
/// process's end.
class ParentLine {
public:
  explicit ParentLine(int line) : line_(line) {}

  void take_first_tokens(Node& node) {
    for (std::string text = next(); !text.empty(); text = next()) take(node, text);
  }
  [[noreturn]] void take_tokens(Node& node) {
    while (true) {
      take(node, next());
      say(line_, ".");
    }
  }

private:
  std::string next() {
    auto end = heard_.find('\n');
    while (end == std::string::npos) {
      char buffer[4096];
      const auto count = read(line_, buffer, sizeof buffer);
      if (count == 0 || (count < 0 && errno != EINTR)) _exit(0);
      if (count > 0) heard_.append(buffer, static_cast<std::size_t>(count));
      end = heard_.find('\n');
    }
    std::string text = heard_.substr(0, end);
    heard_.erase(0, end + 1);
    return text;
  }

  /// For what this node's agents ask of other nodes, and for what they ask as a program does.
  static void take(Node& node, const std::string& text) {
    const Json said = Json::parse(text);
    const NodeAddress address{said.at("host"), said.at("port")};
    node.set_token_of(address, said.at("token"));
    Session::instance().set_token(address, said.at("token"));
  }

  int line_;
  std::string heard_;
};

bool is_line(int descriptor) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

}  // namespace

void serve_for_parent(int line, std::uint16_t port) {
  if (!is_line(line)) {
    constexpr const char* message = " is for programs that launch themselves as agent servers\n";
    (void)!write(STDERR_FILENO, serve_argument, std::strlen(serve_argument));
    (void)!write(STDERR_FILENO, message, std::strlen(message));
    _exit(64);
  }
  fcntl(line, F_SETFD, FD_CLOEXEC);
  // Twice: the signal is at once, and the line holds where the signal does not reach.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN);
  forbid_launching();

  Node node(config_for(port));
  for (const AgentType& type : detail::linked_types()) node.add_type(type);
  if (const auto started = node.start(); !started) {
    const Error why = start_error(started.error());
    say(line, "!" + std::string(kind_name(why.kind())) + " " + why.message() + "\n");
    _exit(69);
  }
  ParentLine parent(line);
  parent.take_first_tokens(node);
  std::thread([&parent, &node] { parent.take_tokens(node); }).detach();
  say(line, std::to_string(node.listening().port) + "\n");
  node.wait();
  _exit(0);
}

}  // namespace sdk

void init(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == sdk::serve_argument) {
    sdk::serve_for_parent(std::atoi(argv[2]), static_cast<std::uint16_t>(std::atoi(argv[3])));
  }
  sdk::allow_launching(argc > 0 ? argv[0] : "agentd-program");
}

}  // namespace agentd
