#include <cerrno>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>

#include <boost/system/system_error.hpp>

#include "daemon/agents/builtin.hpp"
#include "daemon/config/command_line.hpp"
#include "daemon/config/keys.hpp"
#include "daemon/config/load.hpp"
#include "daemon/exit_codes.hpp"
#include "daemon/plugins/loader.hpp"
#include "daemon/serve.hpp"
#include "daemon/service/resources.hpp"

namespace agentd {
namespace {

using config::CommandLine;

Exit refuse(Exit code, const std::string& message) {
  std::fprintf(stderr, "agentd: %s\n", message.c_str());
  return code;
}

Exit say(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return Exit::ok;
  return refuse(Exit::io, "cannot write to standard output: " + std::generic_category().message(errno));
}

/// Everything that a start would find wrong, short of taking the port.
Exit check(const CommandLine& command, config::Config config) {
  if (const auto read = config::read_tokens(config); !read) {
    return refuse(Exit::configuration, read.error().message());
  }
  if (const auto types = plugins::load(config.plugins, agents::builtin_types()); !types) {
    return refuse(Exit::configuration, types.error().message());
  }
  return say((command.file.empty() ? "configuration" : command.file) + ": ok\n");
}

Exit start(const CommandLine& command, config::Config config) {
  if (const auto read = config::read_tokens(config); !read) {
    return refuse(Exit::configuration, read.error().message());
  }
  return serve(command, config);
}

Exit not_given(const std::exception& missing) {
  return refuse(Exit::unavailable, std::string("the system does not give what is needed: ") + missing.what());
}

Exit run(int argc, const char* const* argv) {
  const auto command = config::parse_command_line(argc, argv);
  if (!command) return refuse(Exit::usage, command.error().message());
  if (command->task == CommandLine::Task::tell) return say(command->text);
  auto config = config::load(*command);
  if (!config) return refuse(Exit::configuration, config.error().message());
  switch (command->task) {
    case CommandLine::Task::print:
      return say(config::print(*config) + "\n");
    case CommandLine::Task::check:
      return check(*command, std::move(*config));
    default:
      return start(*command, std::move(*config));
  }
}

}  // namespace
}  // namespace agentd

int main(int argc, char** argv) {
  agentd::service::fill_standard_streams();
  try {
    return static_cast<int>(agentd::run(argc, argv));
  } catch (const std::system_error& missing) {
    return static_cast<int>(agentd::not_given(missing));
  } catch (const boost::system::system_error& missing) {
    return static_cast<int>(agentd::not_given(missing));
  } catch (const std::exception& bug) {
    std::fprintf(stderr, "agentd: a bug: %s\n", bug.what());
    return static_cast<int>(agentd::Exit::software);
  }
}
