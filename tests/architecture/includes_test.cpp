#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "source_tree.h"

// A source includes the standard headers that it uses, itself or through the project's headers. The
// precompiled header and the neighbours of a unity build hide it where one is missing.
namespace ptq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Source;

/// Headers and names in std that nothing else declares.
constexpr const char* kNames = R"(
algorithm: sort stable_sort find find_if any_of all_of none_of count count_if max_element min_element
algorithm: copy_n fill fill_n transform replace replace_if reverse rotate unique lower_bound upper_bound
algorithm: binary_search nth_element partial_sort clamp for_each set_difference is_sorted min max
array: array
atomic: atomic
chrono: chrono
cmath: sqrt pow exp log log2 log10 floor ceil round lround llround isfinite isnan ldexp frexp nearbyint
condition_variable: condition_variable
cstring: memcpy memset memcmp strlen strerror
deque: deque
filesystem: filesystem
fstream: ifstream ofstream
functional: function
future: future async
iomanip: setw setprecision setfill
iostream: cout cerr cin
limits: numeric_limits
map: map
memory: unique_ptr shared_ptr make_unique make_shared
mutex: mutex lock_guard unique_lock scoped_lock call_once
numeric: accumulate iota inner_product partial_sum
optional: optional nullopt
random: mt19937 mt19937_64
regex: regex smatch sregex_iterator
set: set
sstream: ostringstream istringstream stringstream
thread: thread this_thread
tuple: tuple tie
unordered_map: unordered_map
unordered_set: unordered_set
variant: variant visit get_if monostate holds_alternative
vector: vector
)";

std::map<std::string, std::string> header_of_names() {
  std::map<std::string, std::string> headers;
  std::istringstream lines(kNames);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string header, name;
    words >> header;
    while (words >> name) headers[name] = header.substr(0, header.size() - 1);
  }
  return headers;
}

/// NAME of each std::NAME outside comments.
std::set<std::string> standard_names(const std::string& text) {
  static const std::regex kUse("//[^\n]*|\\bstd::([a-z_0-9]+)");
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), kUse), end; match != end; ++match) {
    if ((*match)[1].matched) found.insert((*match)[1]);
  }
  return found;
}

class Includes {
 public:
  explicit Includes(const std::vector<Source>& sources) {
    for (const Source& source : sources) by_path_[source.path] = &source;
  }

  /// The standard headers that a source has, through the project's headers too.
  const std::set<std::string>& of(const std::string& path) {
    const auto known = known_.find(path);
    if (known != known_.end()) return known->second;
    known_[path] = {};  // ends a circle
    std::set<std::string> all;
    for (const std::string& include : testing::includes(by_path_.at(path)->text)) {
      const std::string own = path_of(include, path);
      if (own.empty()) {
        all.insert(include);
      } else {
        all.insert(of(own).begin(), of(own).end());
      }
    }
    return known_[path] = all;
  }

 private:
  /// The project's file that an include names, or nothing.
  std::string path_of(const std::string& include, const std::string& from) const {
    const std::string beside = from.substr(0, from.rfind('/') + 1);
    for (const std::string& folder :
         {beside, std::string("include/"), std::string("src/"), std::string("tests/")}) {
      if (by_path_.count(folder + include) > 0) return folder + include;
    }
    return "";
  }

  std::map<std::string, const Source*> by_path_;
  std::map<std::string, std::set<std::string>> known_;
};

TEST(SourceTree, IncludesTheStandardHeadersThatItUses) {
  const auto headers = header_of_names();
  const std::vector<Source> sources =
      testing::sources({"src", "include", "apps", "tests", "bench"});
  Includes includes(sources);
  std::vector<std::string> wrong;
  int checked = 0;
  for (const Source& source : sources) {
    for (const std::string& name : standard_names(source.text)) {
      const auto header = headers.find(name);
      if (header == headers.end()) continue;
      ++checked;
      if (includes.of(source.path).count(header->second) > 0) continue;
      wrong.push_back(source.path + " needs <" + header->second + "> for std::" + name);
    }
  }
  EXPECT_GT(checked, 1000);
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Includes, AreFoundThroughOwnHeaders) {
  const std::vector<Source> sources = {{"src/a/a.cpp", "a", "#include \"a/a.h\"\n"},
                                       {"src/a/a.h", "a", "#include <map>\n#include \"ptq/b.h\"\n"},
                                       {"include/ptq/b.h", "b", "#include <set>\n"}};
  EXPECT_THAT(Includes(sources).of("src/a/a.cpp"), ElementsAre("map", "set"));
  EXPECT_THAT(standard_names("std::map<int, std::set<int>> a;  // std::sort\n"),
              ElementsAre("map", "set"));
}

}  // namespace
}  // namespace ptq
