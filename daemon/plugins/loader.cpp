#include "daemon/plugins/loader.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <map>

#include <agentd/abi.hpp>

#include "daemon/plugins/path_safety.hpp"

namespace agentd::plugins {
namespace {

namespace fs = std::filesystem;

constexpr const char* entry_point = "agentd_plugin_v1";
using EntryPoint = const detail::PluginInfo* (*)();

/// Type names, and where each comes from.
using Sources = std::map<std::string, std::string, std::less<>>;

Error refuse(const std::string& file, const std::string& why) {
  return {ErrorKind::invalid_params, "the plugin " + file + " " + why};
}

std::string loader_error() {
  const char* text = dlerror();
  return text == nullptr ? "no reason given" : text;
}

/// The handle is never closed: agents run its code until the process ends.
Result<EntryPoint> open_plugin(const std::string& file) {
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) return refuse(file, "cannot be loaded: " + loader_error());
  void* symbol = dlsym(handle, entry_point);
  if (symbol == nullptr) {
    return refuse(file, std::string("is no agentd plugin: it has no symbol ") + entry_point +
                            "; build it against agentd::plugin");
  }
  return reinterpret_cast<EntryPoint>(symbol);
}

/// Nothing but `abi` is read before it is known to fit.
Result<const std::vector<AgentType>*> types_of(const std::string& file, EntryPoint entry) {
  const detail::PluginInfo* info = entry();
  if (info == nullptr || info->abi == nullptr) return refuse(file, "does not say what it was built for");
  if (info->abi != required_abi()) {
    return refuse(file, "was built for \"" + std::string(info->abi) + "\", but this daemon needs \"" +
                            std::string(required_abi()) + "\"; build it again with this version's headers");
  }
  if (info->types == nullptr || info->types->empty()) {
    return refuse(file, "brings no agent types; it needs an AGENTD_REGISTER_AGENT");
  }
  return info->types;
}

Result<void> take(const std::string& file, const std::vector<AgentType>& types, Sources& sources,
                  std::vector<AgentType>& taken) {
  for (const AgentType& type : types) {
    const auto [known, added] = sources.emplace(type.name, file);
    if (!added) {
      return refuse(
          file, "brings the agent type \"" + type.name + "\", but that name is taken by " + known->second);
    }
    taken.push_back(type);
    taken.back().source = file;
  }
  return {};
}

Result<void> load_one(const std::string& name, Sources& sources, std::vector<AgentType>& taken) {
  const auto path = safe_path(name, geteuid());
  if (!path) return path.error();
  const std::string file = path->string();
  const auto entry = open_plugin(file);
  if (!entry) return entry.error();
  const auto types = types_of(file, *entry);
  if (!types) return types.error();
  return take(file, **types, sources, taken);
}

}  // namespace

Result<std::vector<AgentType>> load(const std::vector<std::string>& files,
                                    const std::vector<AgentType>& known) {
  Sources sources;
  for (const AgentType& type : known) sources.emplace(type.name, "a " + type.source + " type");
  std::vector<AgentType> taken;
  for (const std::string& file : files) {
    if (const auto loaded = load_one(file, sources, taken); !loaded) return loaded.error();
  }
  return taken;
}

std::string_view required_abi() { return detail::abi.data(); }

}  // namespace agentd::plugins
