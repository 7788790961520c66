#include "daemon/plugins/loader.hpp"

#include <filesystem>

#include <catch2/catch.hpp>

#include "tests/unit/daemon/config/scratch.hpp"

namespace {

namespace fs = std::filesystem;

/// A plugin's copy where nobody else can replace it: the folder of the build may be writable by a group.
std::string plugin(const std::string& kind) {
  static const Scratch scratch;
  const fs::path copy = scratch.path() / (kind + ".so");
  if (fs::exists(copy)) return copy.string();
  fs::copy_file(std::string(AGENTD_TEST_PLUGINS) + "/" + kind + ".so", copy);
  fs::permissions(copy, fs::perms(0644));
  return copy.string();
}

std::string error_of(const std::vector<std::string>& files,
                     const std::vector<agentd::AgentType>& known = {}) {
  const auto types = agentd::plugins::load(files, known);
  return types ? "" : types.error().message();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a plugin brings its types, and each says which file it is from") {
  const auto types = agentd::plugins::load({plugin("good")}, {});
  INFO((types ? "" : types.error().message()));
  REQUIRE(types.has_value());
  REQUIRE(types->size() == 2);
  CHECK(types->at(0).name == "Greeter");
  CHECK(types->at(0).description == "Greets");
  CHECK(types->at(1).name == "parrot");
  CHECK(types->at(0).source == fs::canonical(plugin("good")).string());
  CHECK(types->at(0).make(agentd::Json::object()) != nullptr);
}

TEST_CASE("no plugins bring no types") { CHECK(agentd::plugins::load({}, {})->empty()); }

TEST_CASE("a plugin for another version is refused, and both versions are said") {
  const std::string error = error_of({plugin("wrong_abi")});
  CHECK(contains(error, "wrong_abi.so was built for \"agentd-0.0\""));
  CHECK(contains(error, std::string(agentd::plugins::required_abi())));
}

TEST_CASE("what a plugin was built for has the sizes of what it shares with the daemon") {
  const std::string abi(agentd::plugins::required_abi());
  CHECK(contains(abi, " sizes-" + std::to_string(sizeof(agentd::CallId)) + '-'));
  CHECK(contains(abi, '-' + std::to_string(sizeof(agentd::Message)) + '-'));
  CHECK(abi.ends_with('-' + std::to_string(sizeof(agentd::AgentType))));
}

TEST_CASE("a plugin that says nothing is refused") {
  CHECK(contains(error_of({plugin("silent")}), "silent.so does not say what it was built for"));
}

TEST_CASE("a library that is no plugin is refused") {
  CHECK(contains(error_of({plugin("stranger")}),
                 "stranger.so is no agentd plugin: it has no symbol agentd_plugin_v1"));
}

TEST_CASE("a plugin without types is refused") {
  CHECK(contains(error_of({plugin("empty")}), "empty.so brings no agent types"));
}

TEST_CASE("a file that is no library, or not there, is refused") {
  const Scratch scratch;
  CHECK(contains(error_of({scratch.file("text.so", "hello")}), "text.so cannot be loaded: "));
  CHECK(contains(error_of({(scratch.path() / "no.so").string()}), "no.so cannot be opened: No such file"));
}

TEST_CASE("a name that is taken is refused, and both sides are named") {
  const std::string twice = error_of({plugin("good"), plugin("second")});
  CHECK(contains(twice, "second.so brings the agent type \"parrot\""));
  CHECK(contains(twice, "good.so"));
  agentd::AgentType built_in;
  built_in.name = "parrot";
  built_in.source = "built-in";
  CHECK(contains(error_of({plugin("second")}, {built_in}), "taken by a built-in type"));
}

TEST_CASE("the same plugin twice is refused") {
  CHECK(contains(error_of({plugin("good"), plugin("good")}), "that name is taken by"));
}

TEST_CASE("a plugin that others can write is refused before any of its code runs") {
  const Scratch scratch;
  const fs::path copy = scratch.path() / "copy.so";
  fs::copy_file(plugin("good"), copy);
  fs::permissions(copy, fs::perms(0666));
  CHECK(contains(error_of({copy.string()}), "run: chmod go-w " + fs::canonical(copy).string()));
}
