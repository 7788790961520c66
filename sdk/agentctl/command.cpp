#include "sdk/agentctl/command.hpp"

namespace agentd::ctl {

CLI::App& Commands::add(const std::string& name, const std::string& description,
                        const std::string& examples) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.fallthrough();
  command.footer(
      "\nExamples:\n" + examples +
      "\nWhich node, its token, and JSON output (--node, --token-file, -o json): see agentctl --help");
  return command;
}

CLI::Option& add_text(CLI::App& app, const std::string& names, std::string& value,
                      const std::string& value_name, const std::string& help) {
  return *app.add_option(names, value, help)
              ->type_name(value_name)
              ->type_size(1)
              ->expected(1)
              ->allow_extra_args(false);
}

}  // namespace agentd::ctl
