#include "daemon/runtime/directory.hpp"

#include <string>
#include <vector>

#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <catch2/catch.hpp>

namespace agentd::runtime {
namespace {

struct Entry : boost::intrusive_ref_counter<Entry, boost::thread_unsafe_counter> {
  explicit Entry(std::string name) : id(std::move(name)) {}
  std::string id;
};
using Entries = Directory<Entry, std::string_view, std::hash<std::string_view>>;

}  // namespace

TEST_CASE("a directory finds what was added by its id, however much grows around it") {
  Entries entries;
  constexpr int count = 50'000;
  std::vector<Entry*> added;
  for (int i = 0; i < count; ++i) {
    const Entries::Pointer entry(new Entry("entry-" + std::to_string(i)));
    added.push_back(entry.get());
    entries.add(entry);
  }
  CHECK(entries.size() == count);
  for (int i = 0; i < count; ++i) REQUIRE(entries.find("entry-" + std::to_string(i)) == added[i]);
  CHECK(entries.find("entry-" + std::to_string(count)) == nullptr);
  CHECK_FALSE(entries.contains("entry"));
}

TEST_CASE("a directory holds its entries until they are removed") {
  Entries entries;
  const Entries::Pointer entry(new Entry("a"));
  entries.add(entry);
  CHECK(entry->use_count() == 2);
  entries.remove("b");
  CHECK(entries.size() == 1);
  entries.remove("a");
  entries.remove("a");
  CHECK(entries.size() == 0);
  CHECK(entry->use_count() == 1);
  CHECK_FALSE(entries.contains("a"));
}

}  // namespace agentd::runtime
