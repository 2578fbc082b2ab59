#include "sweep/journal.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "ptq/base/error.h"
#include "support/temporary_folder.h"
#include "sweep/merge.h"
#include "sweep/results.h"
#include "sweep/shard.h"

namespace ptq::sweep {
namespace {

using support::content_of;
using support::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;

TEST(TextTable, KeepsCommasQuotesAndLineEnds) {
  const std::vector<std::string> cells = {"a,b", "say \"x\"", "two\nlines", ""};
  const TextTable table = parse_csv("p,q,r,s\n" + csv_line(cells), "t");
  EXPECT_THAT(table.rows, ElementsAre(cells));
}

TEST(TextTable, LeavesOutALineThatWasCutOff) {
  EXPECT_THAT(parse_csv("a,b\n1,2\n3,", "t").rows, ElementsAre(ElementsAre("1", "2")));
  EXPECT_THAT(parse_csv("a,b\n1,2\n3,\"x\n", "t").rows, SizeIs(1));
  EXPECT_THAT(parse_csv("a,b", "t").columns, SizeIs(0));
}

TEST(TextTable, RefusesRowsOfAnotherLength) { EXPECT_THROW(parse_csv("a,b\n1\n", "t"), DataError); }

TEST(TextTable, RefusesMoreCellsThanTheLargestSweepHas) {
  for (const char* cell : {",", "\n"}) {
    std::string text = "a\n";
    for (int i = 0; i < 8'000'000; ++i) text += cell;
    EXPECT_THAT(
        [&] { parse_csv(text, "t"); },
        ThrowsMessage<DataError>("t has more cells than the 8000000 that a table may have"));
  }
}

TEST(TextTable, NamesAFileThatCannotBeRead) {
  EXPECT_THAT([] { read_csv("/proc/self/mem"); },
              ThrowsMessage<DataError>("/proc/self/mem cannot be read: Input/output error"));
}

TEST(Journal, KeepsItsRowsAndDropsAHalfOne) {
  const TemporaryFolder folder;
  const std::string path = folder.file("journal.csv");
  { Journal(path, {"a", "b"}).append({"1", "x\ny"}); }
  const std::string whole = content_of(path);
  for (const std::string half : {"2", "2,\"z", "2,\"z\nq"}) {
    folder.write("journal.csv", whole + half);
    Journal journal(path, {"a", "b"});
    EXPECT_THAT(journal.table().rows, ElementsAre(ElementsAre("1", "x\ny"))) << half;
    EXPECT_EQ(content_of(path), whole) << half;
  }
  Journal journal(path, {"a", "b"});
  journal.append({"2", ""});
  EXPECT_EQ(content_of(path), whole + "2,\n");
}

TEST(Journal, StartsAgainWhereNotEvenItsHeaderIsWhole) {
  const TemporaryFolder folder;
  const std::string path = folder.write("journal.csv", "a,");
  const Journal journal(path, {"a", "b"});
  EXPECT_EQ(content_of(path), "a,b\n");
}

TEST(Journal, RefusesOtherColumnsAndASecondWriter) {
  const TemporaryFolder folder;
  const std::string path = folder.file("journal.csv");
  const Journal journal(path, {"a"});
  EXPECT_THROW(Journal(path, {"a"}), OutputError);
  EXPECT_THROW(Journal(folder.write("other.csv", "b\n"), {"a"}), ConfigError);
  EXPECT_THROW(Journal(folder.path() + "/no/journal.csv", {"a"}), OutputError);
}

TEST(Shard, DividesWithoutGapOrOverlap) {
  const std::vector<size_t> order = {4, 0, 3, 1, 2};
  EXPECT_THAT(share_of({1, 2}, order), ElementsAre(4, 0));
  EXPECT_THAT(share_of({2, 2}, order), ElementsAre(3, 1, 2));
  EXPECT_THAT(share_of({1, 7}, order), SizeIs(0));
  std::vector<size_t> all;
  for (int i = 1; i <= 7; ++i) {
    for (const size_t number : share_of({i, 7}, order)) all.push_back(number);
  }
  EXPECT_EQ(all, order);
}

TEST(Shard, IsWrittenAsTwoNumbers) {
  EXPECT_EQ(parse_shard("2/4").number, 2);
  EXPECT_EQ(journal_name(parse_shard("2/4")), "journal-2-of-4.csv");
  for (const char* bad : {"", "2", "0/4", "5/4", "2/4x", "a/4", "-1/2"}) {
    EXPECT_THROW(parse_shard(bad), ConfigError) << bad;
  }
}

/// A results table of rows that matter only by these cells.
std::string table(const TemporaryFolder& folder, const std::string& name,
                  const std::vector<std::vector<std::string>>& rows,
                  const std::vector<std::string_view>& swept = {}) {
  TextTable results{result_columns(swept), {}};
  for (const auto& cells : rows) {
    std::vector<std::string> row(results.columns.size());
    row[results.index_of("configuration")] = cells[0];
    row[results.index_of("model")] = cells[1];
    row[results.index_of("configuration_hash")] = cells[2];
    row[results.index_of("status")] = cells[3];
    for (const char* column : {"quant_top1", "quant_top5", "correct", "count", "seconds"}) {
      row[results.index_of(column)] = "1";
    }
    results.rows.push_back(row);
  }
  write_csv(folder.file(name), results);
  return folder.file(name);
}

TEST(Merge, SortsByModelAndNumberAndKeepsEachOnce) {
  const TemporaryFolder folder;
  const std::string a =
      table(folder, "a.csv",
            {{"10", "m", "x", "done"}, {"2", "m", "y", "failed"}, {"3", "m", "w", "subset"}});
  const std::string b = table(folder, "b.csv",
                              {{"1", "n", "z", "done"},
                               {"2", "m", "y", "done"},
                               {"10", "m", "x", "done"},
                               {"3", "m", "w", "done"}},
                              {"group-size"});
  const TextTable merged = merge_tables({a, b});
  EXPECT_TRUE(merged.has("group_size"));
  std::vector<std::string> rows;
  for (const auto& row : merged.rows) {
    rows.push_back(merged.cell(row, "model") + merged.cell(row, "configuration") +
                   merged.cell(row, "status"));
  }
  EXPECT_THAT(rows, ElementsAre("m2done", "m3done", "m10done", "n1done"));
}

TEST(Merge, RefusesOtherTables) {
  const TemporaryFolder folder;
  EXPECT_THROW(merge_tables({folder.write("a.csv", "a,b\n1,2\n")}), DataError);
  EXPECT_THROW(merge_tables({"/nowhere.csv"}), DataError);
  EXPECT_THROW(merge_tables({folder.path()}), DataError);
  const std::string words = table(folder, "words.csv", {{"nan", "m", "x", "done"}});
  EXPECT_THROW(merge_tables({words}), DataError);
  const std::string whole =
      support::content_of(table(folder, "cut.csv", {{"1", "m", "x", "done"}}));
  EXPECT_THROW(merge_tables({folder.write("cut.csv", whole.substr(0, whole.size() - 2))}),
               DataError);
  EXPECT_THROW(merge_tables({"/dev/zero"}), DataError);
}

}  // namespace
}  // namespace ptq::sweep
