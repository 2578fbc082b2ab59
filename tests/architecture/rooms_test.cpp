#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "source_tree.h"

// A room is a folder of src. Its headers in include/ptq are for everybody, those that its
// CMakeLists.txt lists under HEADERS for the other rooms, and all others for itself.
namespace ptq {
namespace {

using ::testing::IsEmpty;
using testing::Source;

/// Which subfolder of a room includes which other one. Files at the root of a room belong to no
/// subfolder and may be included by all.
const std::map<std::string, std::set<std::string>> kNeighbours = {
    {"export/onnx/write", {"onnx"}},
    {"options/config", {"combinations"}},
    {"passes/bits", {"learned_round"}},
    {"passes/learned_round", {"bias_correction", "rounding"}},
    {"runtime/integer", {"plan", "steps"}},
    {"runtime/onednn", {"steps"}},
    {"runtime/plan", {"integer", "steps"}},
    {"runtime/steps", {"integer", "onednn", "plan"}},
    {"runtime/sweep", {"plan"}},
};

std::vector<std::string> parts(const std::string& path) {
  std::vector<std::string> found;
  std::string part;
  for (const char c : path + "/") {
    if (c != '/') {
      part += c;
    } else {
      found.push_back(part);
      part.clear();
    }
  }
  return found;
}

/// Room and subfolder of src/ROOM/SUB/file.h or ROOM/SUB/file.h; SUB is empty at the root, and may
/// be a path.
struct Place {
  std::string room, subfolder;
};

Place place_of(const std::string& path) {
  std::vector<std::string> names = parts(path);
  if (names.front() == "src") names.erase(names.begin());
  std::string subfolder;
  for (size_t i = 1; i + 1 < names.size(); ++i) {
    subfolder += (subfolder.empty() ? "" : "/") + names[i];
  }
  return {names.front(), subfolder};
}

std::set<std::string> rooms() {
  std::set<std::string> found;
  for (const Source& source : testing::sources({"src"})) found.insert(source.folder);
  return found;
}

/// ROOM/file.h for each of HEADERS in src/ROOM/CMakeLists.txt.
std::set<std::string> shared_headers(const std::string& room) {
  static const std::regex kHeaders("HEADERS([^A-Z]*)");
  const std::string text =
      testing::content(std::string(PTQ_SOURCE_DIR) + "/src/" + room + "/CMakeLists.txt");
  std::smatch match;
  if (!std::regex_search(text, match, kHeaders)) return {};
  std::istringstream list(match[1]);
  std::set<std::string> found;
  for (std::string header; list >> header;) found.insert(room + "/" + header);
  return found;
}

/// Every include of a header of src.
template <typename Visit>
int visit_private_includes(const std::vector<std::string>& tops, const Visit& visit) {
  std::set<std::string> headers;
  for (const Source& source : testing::sources({"src"})) headers.insert(source.path);
  int seen = 0;
  for (const Source& source : testing::sources(tops)) {
    for (const std::string& include : testing::includes(source.text)) {
      if (headers.count("src/" + include) == 0) continue;
      ++seen;
      visit(source, include);
    }
  }
  return seen;
}

TEST(Rooms, KeepTheirPrivateHeaders) {
  std::vector<std::string> wrong;
  const int seen =
      visit_private_includes({"src", "include", "apps", "examples"},
                             [&](const Source& source, const std::string& include) {
                               const std::string room = place_of(include).room;
                               if (source.folder == room || shared_headers(room).count(include) > 0)
                                 return;
                               wrong.push_back(source.path + " includes " + include);
                             });
  EXPECT_GT(seen, 200);
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Rooms, ShareHeadersThatAnotherRoomIncludes) {
  std::set<std::string> included;
  visit_private_includes({"src", "apps"}, [&](const Source& source, const std::string& include) {
    if (source.folder != place_of(include).room) included.insert(include);
  });
  std::set<std::string> unused;
  for (const std::string& room : rooms()) {
    for (const std::string& header : shared_headers(room)) {
      if (included.count(header) == 0) unused.insert(header);
    }
  }
  EXPECT_THAT(unused, IsEmpty());
}

TEST(Rooms, HavePublicHeadersThatIncludeNoPrivateOne) {
  std::vector<std::string> wrong;
  visit_private_includes({"include"}, [&](const Source& source, const std::string& include) {
    wrong.push_back(source.path + " includes " + include);
  });
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Rooms, HaveSubfoldersThatIncludeOnlyTheirNeighbours) {
  std::set<std::string> wrong;
  visit_private_includes({"src"}, [&](const Source& source, const std::string& include) {
    const Place from = place_of(source.path), to = place_of(include);
    if (from.room != to.room || from.subfolder.empty() || to.subfolder.empty()) return;
    if (from.subfolder == to.subfolder) return;
    const auto neighbours = kNeighbours.find(from.room + "/" + from.subfolder);
    if (neighbours != kNeighbours.end() && neighbours->second.count(to.subfolder) > 0) return;
    wrong.insert(source.path + " includes " + include);
  });
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Rooms, AreReadFromPaths) {
  EXPECT_EQ(place_of("src/passes/rounding/gptq.h").room, "passes");
  EXPECT_EQ(place_of("src/passes/rounding/gptq.h").subfolder, "rounding");
  EXPECT_EQ(place_of("export/onnx/write/site.h").subfolder, "onnx/write");
  EXPECT_EQ(place_of("passes/pass.h").subfolder, "");
}

}  // namespace
}  // namespace ptq
