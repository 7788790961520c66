#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <stdlib.h>  // mkdtemp is POSIX: <cstdlib> need not have it

/// A directory of its own for one test; gone with it.
class Scratch {
public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "agentd-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    directory_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(directory_); }

  [[nodiscard]] const std::filesystem::path& path() const { return directory_; }
  /// Writes a file with these permissions, and answers its name.
  std::string file(const std::string& name, const std::string& text, unsigned mode = 0600) const {
    const auto file = directory_ / name;
    std::ofstream(file) << text;
    std::filesystem::permissions(file, std::filesystem::perms(mode));
    return file.string();
  }

private:
  std::filesystem::path directory_;
};
