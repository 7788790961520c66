#include "daemon/plugins/path_safety.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/unit/daemon/config/scratch.hpp"

using agentd::plugins::safe_path;

namespace {

namespace fs = std::filesystem;

std::string error_of(const fs::path& file, uid_t user = geteuid()) {
  const auto path = safe_path(file, user);
  return path ? "" : path.error().message();
}

void set_mode(const fs::path& path, unsigned mode) { fs::permissions(path, fs::perms(mode)); }

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a file of ours, below directories of ours and root's, is safe") {
  const Scratch scratch;
  const fs::path file = scratch.file("a.so", "", 0644);
  REQUIRE(safe_path(file, geteuid()).has_value());
  CHECK(*safe_path(file, geteuid()) == fs::canonical(file));
}

TEST_CASE("a file that its group or everybody can write is not safe") {
  const Scratch scratch;
  for (const unsigned mode : {0664U, 0646U, 0666U}) {
    const fs::path file = scratch.file("a.so", "", mode);
    CHECK(contains(error_of(file), "run: chmod go-w " + fs::canonical(file).string()));
  }
}

TEST_CASE("any directory above that others can write makes a file unsafe") {
  const Scratch scratch;
  const fs::path outer = scratch.path() / "outer";
  fs::create_directories(outer / "inner");
  scratch.file("outer/inner/a.so", "", 0644);
  for (const unsigned mode : {0775U, 0777U}) {
    set_mode(outer, mode);
    CHECK(contains(error_of(outer / "inner" / "a.so"),
                   "the directory " + fs::canonical(outer).string() + " above it can be written"));
  }
  set_mode(outer, 0755);
  set_mode(outer / "inner", 0777);
  CHECK(contains(error_of(outer / "inner" / "a.so"),
                 "run: chmod go-w " + fs::canonical(outer / "inner").string()));
  set_mode(outer / "inner", 01777);
  CHECK(error_of(outer / "inner" / "a.so").empty());
}

TEST_CASE("a symbolic link is as safe as where it leads") {
  const Scratch scratch;
  const fs::path file = scratch.file("a.so", "", 0644);
  const fs::path link = scratch.path() / "link.so";
  fs::create_symlink(file, link);
  REQUIRE(safe_path(link, geteuid()).has_value());
  CHECK(*safe_path(link, geteuid()) == fs::canonical(file));
  set_mode(file, 0666);
  CHECK(contains(error_of(link), "chmod go-w " + fs::canonical(file).string()));
}

TEST_CASE("a file of somebody else is not safe") {
  const Scratch scratch;
  const fs::path file = scratch.file("a.so", "", 0644);
  const uid_t somebody = 4711;
  if (geteuid() == 0) REQUIRE(chown(file.c_str(), somebody, 0) == 0);
  // Run by root, the file is 4711's; run by another, that other is not the daemon's user.
  const uid_t daemon = geteuid() == 0 ? 0 : somebody;
  CHECK(contains(error_of(file, daemon), "neither root nor the user of the daemon; run: chown root "));
}

TEST_CASE("what is no regular file is not safe") {
  const Scratch scratch;
  CHECK(contains(error_of(scratch.path()), "is not a regular file"));
  CHECK(contains(error_of("/dev/null"), "is not a regular file"));
  CHECK(contains(error_of(scratch.path() / "no"), "cannot be opened: No such file"));
}
