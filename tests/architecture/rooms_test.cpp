#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "source_tree.h"

// A room is a folder of src. Its headers in include/ptq are for everybody, those in src for itself.
namespace ptq {
namespace {

using ::testing::IsEmpty;
using testing::Source;

/// Private headers of one room that another may include.
const std::map<std::string, std::set<std::string>> kShared = {
    {"base/vector_loop.h", {"quant", "data", "runtime", "passes"}},
    {"quant/element_params.h", {"passes"}},
    {"quant/partition.h", {"passes"}},
    {"quant/quantizer_dump.h", {"cli"}},
    {"eval/gate/junit.h", {"cli"}},
    {"parity/export_words.h", {"cli"}},
    {"workflow/shared_stages.h", {"cli"}},
    {"workflow/technique_words.h", {"cli"}},
    {"cli/options/option_words.h", {"apps"}},
};

/// Which subfolder of a room includes which other one. Files at the root of a room belong to no
/// subfolder and may be included by all.
const std::map<std::string, std::set<std::string>> kNeighbours = {
    {"cli/gate", {"options"}},
    {"cli/options", {"combinations", "gate"}},
    {"cli/report", {"options", "page"}},
    {"cli/stages", {"options", "report"}},
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

/// Room and subfolder of src/ROOM/SUB/file.h or ROOM/SUB/file.h; SUB is empty at the root.
struct Place {
  std::string room, subfolder;
};

Place place_of(const std::string& path) {
  std::vector<std::string> names = parts(path);
  if (names.front() == "src") names.erase(names.begin());
  return {names.front(), names.size() > 2 ? names[1] : ""};
}

/// Every include of a private header, a file of src that is named from there.
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
  const int seen = visit_private_includes(
      {"src", "include", "apps", "examples"},
      [&](const Source& source, const std::string& include) {
        if (source.folder == place_of(include).room) return;
        const auto shared = kShared.find(include);
        if (shared != kShared.end() && shared->second.count(source.folder) > 0) return;
        wrong.push_back(source.path + " includes " + include);
      });
  EXPECT_GT(seen, 200);
  EXPECT_THAT(wrong, IsEmpty());
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
  EXPECT_EQ(place_of("passes/pass.h").subfolder, "");
}

}  // namespace
}  // namespace ptq
