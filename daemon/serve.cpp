#include "daemon/serve.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <system_error>

#include "daemon/agents/builtin.hpp"
#include "daemon/config/keys.hpp"
#include "daemon/config/load.hpp"
#include "daemon/logging/log.hpp"
#include "daemon/node/node.hpp"
#include "daemon/plugins/loader.hpp"
#include "daemon/service/notify.hpp"
#include "daemon/service/resources.hpp"
#include "daemon/service/signals.hpp"
#include "daemon/service/supervise.hpp"

namespace agentd {
namespace {

using logging::Logger;

Exit refuse(Exit code, const std::string& message) {
  std::fprintf(stderr, "agentd: %s\n", message.c_str());
  return code;
}

/// Whose fault it is that the node did not start.
Exit exit_of(const Error& error) {
  const int number = error.details().is_object() ? error.details().value("errno", 0) : 0;
  const bool not_ours = number == EACCES || number == EADDRNOTAVAIL;
  return error.kind() == ErrorKind::invalid_params || not_ours ? Exit::configuration : Exit::unavailable;
}

void announce(const std::string& address, const Logger& log) {
  const bool printed = std::printf("agentd listening on %s\n", address.c_str()) > 0;
  if (std::fflush(stdout) == 0 && printed) return;
  log.error("cannot say on standard output where it listens: whoever waits for that line waits for ever",
            {{"address", address}, {"why", std::generic_category().message(errno)}});
}

/// What SIGHUP may change: the token and the log level.
class Reloader {
public:
  Reloader(config::CommandLine command, config::Config in_force, std::weak_ptr<Node> node, Logger log)
      : command_(std::move(command)),
        in_force_(std::move(in_force)),
        node_(std::move(node)),
        log_(std::move(log)) {}

  void reload() {
    auto config = config::load(command_);
    if (!config) return keep_the_old(config.error());
    if (const auto read = config::read_tokens(*config); !read) return keep_the_old(read.error());
    take_token(config->node.token);
    log_.set_level(config->log_level);
    say_what_needs_a_restart(*config);
    log_.info("reloaded the token and the log level",
              {{"log_level", logging::level_name(config->log_level)}});
  }

private:
  void keep_the_old(const Error& error) const {
    log_.error("the new configuration is wrong; the old one stays in force", {{"error", error.message()}});
  }

  /// Never takes a token away: that would let everybody in, by what may be a slip.
  void take_token(const std::string& token) {
    if (token.empty() && !in_force_.node.token.empty()) return warn_about("token_file");
    if (const auto node = node_.lock()) node->set_token(token);
    in_force_.node.token = token;
  }

  void say_what_needs_a_restart(const config::Config& config) {
    const auto differs = [&](const config::Key& key) { return key.get(config) != key.get(in_force_); };
    for (const config::Key& key : config::top_keys()) {
      if (key.name != "token_file" && key.name != "log_level" && differs(key)) warn_about(key.name);
    }
    for (const config::Key& key : config::limit_keys()) {
      if (differs(key)) warn_about("limits." + key.name);
    }
    if (config.node.peer_token != in_force_.node.peer_token) warn_about("the token for peers");
  }

  void warn_about(const std::string& key) const { log_.warn("this change needs a restart", {{"key", key}}); }

  config::CommandLine command_;
  config::Config in_force_;
  std::weak_ptr<Node> node_;
  Logger log_;
};

/// Logs notifications that were dropped, ten a second at most: clients make them.
class DroppedLog {
public:
  explicit DroppedLog(Logger log) : log_(std::move(log)) {}

  void note(const CallId& call, const Error& why) {
    const auto now = std::chrono::steady_clock::now();
    if (now - since_ >= std::chrono::seconds(1)) {
      since_ = now;
      lines_ = 0;
    }
    if (lines_ >= most_lines) {
      ++left_out_;
      return;
    }
    ++lines_;
    log_.warn("a call was dropped",
              {{"call", call.text()}, {"error", why.message()}, {"not_logged_before", left_out_}});
    left_out_ = 0;
  }

private:
  static constexpr unsigned most_lines = 10;

  Logger log_;
  std::chrono::steady_clock::time_point since_;
  unsigned lines_ = 0;
  std::uint64_t left_out_ = 0;
};

/// The node as the supervisor sees it. `run` owns it, so that its end is supervised too.
service::Work work_of(std::shared_ptr<Node> node, std::shared_ptr<Reloader> reloader,
                      std::chrono::milliseconds patience, const std::string& status) {
  const std::weak_ptr<Node> seen = node;
  service::Work work;
  work.run = [owned = std::make_shared<std::shared_ptr<Node>>(std::move(node))] {
    (*owned)->wait();
    owned->reset();
  };
  work.stop = [seen](std::chrono::milliseconds grace) {
    if (const auto still_there = seen.lock()) still_there->stop(grace);
  };
  work.watch_ending = [seen](std::function<void(std::chrono::milliseconds)> ending) {
    if (const auto still_there = seen.lock()) still_there->when_stopping(std::move(ending));
  };
  work.last_progress = [seen] {
    const auto still_there = seen.lock();
    return still_there ? still_there->last_progress() : std::chrono::steady_clock::time_point();
  };
  work.reload = [reloader = std::move(reloader), status] {
    service::notify_reloading();
    reloader->reload();
    service::notify_ready(status);
  };
  work.answers = [seen, patience] {
    const auto still_there = seen.lock();
    return still_there == nullptr || still_there->answers(patience);
  };
  return work;
}

service::Patience patience_of(const config::Config& config) {
  service::Patience patience;
  patience.grace = config.node.grace;
  patience.watchdog = service::watchdog_interval();
  return patience;
}

/// How long the loop may take to answer the watchdog's question.
std::chrono::milliseconds patience_with_loop(const service::Patience& patience) {
  constexpr std::chrono::milliseconds unwatched{1000};
  if (!patience.watchdog) return unwatched;
  return std::chrono::duration_cast<std::chrono::milliseconds>(*patience.watchdog / 4);
}

void say_hello(const Logger& log, const config::Config& config, const std::string& address) {
  log.info("listening", {{"address", address}, {"types_from_plugins", config.plugins.size()}});
  if (config.node.insecure)
    log.warn("insecure: everybody who reaches the port is let in", {{"address", address}});
}

/// A process that has done its work must not wait for threads that never end.
[[noreturn]] void leave_without_threads(const Logger& log) {
  log.warn("threads that did not end in time are abandoned");
  std::fflush(nullptr);
  std::_Exit(static_cast<int>(Exit::ok));
}

Exit look_after(service::Supervisor& supervisor, std::shared_ptr<Node> node,
                const config::CommandLine& command, const config::Config& config, const Logger& log) {
  const std::string address = node->listening().text();
  const std::string status = "listening on " + address;
  announce(address, log);
  service::notify_ready(status);
  say_hello(log, config, address);
  const service::Patience patience = patience_of(config);
  auto reloader = std::make_shared<Reloader>(command, config, node, log);
  const auto ending = supervisor.watch(
      work_of(std::move(node), std::move(reloader), patience_with_loop(patience), status), patience);
  if (ending == service::Ending::abandoned) leave_without_threads(log);
  log.info("stopped");
  return Exit::ok;
}

}  // namespace

Exit serve(const config::CommandLine& command, const config::Config& config) {
  const service::Signals signals;
  service::Supervisor supervisor(signals);
  service::share_one_heap();
  service::raise_open_files();
  auto types = plugins::load(config.plugins, agents::builtin_types());
  if (!types) return refuse(Exit::configuration, types.error().message());
  const Logger log = Logger::to_standard_error(config.log_level);
  NodeConfig settings = config.node;
  settings.on_dropped = [dropped = std::make_shared<DroppedLog>(log)](const CallId& call, const Error& why) {
    dropped->note(call, why);
  };
  auto node = std::make_shared<Node>(std::move(settings));
  for (AgentType& type : *types) node->add_type(std::move(type));
  if (const auto started = node->start(); !started) {
    return refuse(exit_of(started.error()), started.error().message());
  }
  return look_after(supervisor, std::move(node), command, config, log);
}

}  // namespace agentd
