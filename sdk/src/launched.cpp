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

/// The parent never says anything: what can be read is its end.
[[noreturn]] void end_with_parent(int line) {
  char byte = 0;
  while (read(line, &byte, 1) < 0 && errno == EINTR) {
  }
  _exit(0);
}

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
  std::thread(end_with_parent, line).detach();
  signal(SIGPIPE, SIG_IGN);

  Node node(config_for(port));
  for (const AgentType& type : detail::linked_types()) node.add_type(type);
  if (const auto started = node.start(); !started) {
    const Error why = start_error(started.error());
    say(line, "!" + std::string(kind_name(why.kind())) + " " + why.message() + "\n");
    _exit(69);
  }
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
