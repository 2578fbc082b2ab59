#include "sweep/tables.h"

#include <gmock/gmock.h>

#include "ptq/base/error.h"
#include "support/temporary_folder.h"
#include "sweep/arguments.h"
#include "sweep/best_configs.h"
#include "sweep/results.h"

namespace ptq::sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Rows of {model, weight bits, percentile, top-1, status}.
TextTable results_of(const std::vector<std::vector<std::string>>& rows) {
  TextTable results{result_columns({"weight-bit-width"}), {}};
  int number = 0;
  for (const auto& cells : rows) {
    std::vector<std::string> row(results.columns.size());
    const auto set = [&](const char* column, const std::string& text) {
      row[results.index_of(column)] = text;
    };
    set("configuration", std::to_string(++number));
    set("model", cells[0]);
    set("weight_bit_width", cells[1]);
    set("act_quant_percentile", cells[2]);
    set("quant_top1", cells[3]);
    set("status", cells[4]);
    results.rows.push_back(row);
  }
  return results;
}

std::vector<std::string> numbers(const TextTable& table) {
  std::vector<std::string> values;
  for (const auto& row : table.rows) values.push_back(table.cell(row, "configuration"));
  return values;
}

TEST(BestConfigs, KeepsAllThatTieInAGroupAndSortsByTop1) {
  const TextTable results = results_of({{"m", "4", "99.9", "50.000", "done"},
                                        {"m", "4", "99.99", "51.000", "done"},
                                        {"m", "8", "99.9", "70.000", "done"},
                                        {"m", "4", "99.999", "51.000", "done"},
                                        {"k", "8", "99.9", "9.000", "done"},
                                        {"m", "8", "99.99", "", "failed"},
                                        {"m", "8", "99.999", "99.000", "subset"}});
  EXPECT_THAT(numbers(best_configs(results)), ElementsAre("5", "3", "2", "4"));
}

TEST(Tables, TellOnlyWhatDiffers) {
  const TextTable results =
      results_of({{"m", "4", "99.9", "50.000", "done"}, {"m", "8", "99.9", "70.000", "done"}});
  EXPECT_THAT(telling_columns(results),
              ElementsAre("configuration", "model", "weight_bit_width", "float_top1", "quant_top1",
                          "difference", "interval_low", "interval_high", "agreement", "count"));
}

TEST(Tables, AreWrittenWithReasonsForWhatWasSkipped) {
  const support::TemporaryFolder folder;
  const TextTable results = results_of({{"m|x", "4", "99.9", "50.000", "done"}});
  write_tables(folder.path(), results,
               {{7, "gptq=on", "no </script> today"}, {9, "gpfq=on", "no </script> today"}});
  EXPECT_EQ(read_csv(folder.file("results.csv")).rows, results.rows);
  EXPECT_EQ(read_csv(folder.file("best_configs.csv")).rows, results.rows);
  EXPECT_THAT(read_csv(folder.file("skipped.csv")).rows,
              ElementsAre(ElementsAre("7", "gptq=on", "no </script> today"),
                          ElementsAre("9", "gpfq=on", "no </script> today")));
  const std::string markdown = support::content_of(folder.file("results.md"));
  EXPECT_THAT(markdown, HasSubstr("m\\|x"));
  EXPECT_THAT(markdown, HasSubstr("| no </script> today | 2 | gptq=on |"));
  const std::string page = support::content_of(folder.file("results.html"));
  EXPECT_THAT(page, HasSubstr("no \\u003c/script> today"));
  for (const char* elsewhere : {"src=", "href=", "@import", "url(", "fetch("}) {
    EXPECT_THAT(page, Not(HasSubstr(elsewhere)));
  }
}

TEST(Tables, HaveAPageOfTheBestAlone) {
  const support::TemporaryFolder folder;
  write_tables(
      folder.path(),
      results_of({{"m", "4", "99.9", "50.000", "done"}, {"m", "4", "99", "70.000", "done"}}), {});
  const std::string page = support::content_of(folder.file("best_configs.html"));
  EXPECT_THAT(page, HasSubstr("70.000"));
  EXPECT_THAT(page, Not(HasSubstr("50.000")));
}

TEST(ResultRow, SaysOptionsHashesAndAccuracy) {
  options::Settings settings;
  settings.set(*options::find_option("model"), std::string("nets/small.pt"),
               options::Source::kConfigFile);
  Outcome outcome;
  outcome.result.emplace();
  outcome.result->quantized.accuracy = {300, 100, 200};
  outcome.result->float_evaluation = outcome.result->quantized;
  outcome.result->comparison = report::Comparison{{300, 270, 3, 1}, {-0.01, -0.02, 0.005}};
  outcome.result->warnings = {"one", "two"};
  const TextTable table{result_columns({}), {}};
  const auto row = result_row(table.columns, {12, settings}, {"M", "V", "C", "O"}, outcome);
  const auto cell = [&](const char* column) { return table.cell(row, column); };
  EXPECT_EQ(cell("model"), "small");
  EXPECT_EQ(cell("weight_bit_width"), "8");
  EXPECT_EQ(cell("quant_top1"), "33.333");
  EXPECT_EQ(cell("agreement"), "90.000");
  EXPECT_EQ(cell("interval_low"), "-2.000");
  EXPECT_EQ(cell("warnings"), "one; two");
  EXPECT_EQ(cell("seed"), "123456");
  EXPECT_EQ(identity_key(table, row), identity_key({"M", "V", "C", "O"}));
}

Arguments parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "ptq_benchmark");
  return parse_arguments(static_cast<int>(words.size()), words.data());
}

TEST(BenchmarkArguments, AreItsOwnAndThoseOfSingleRuns) {
  const Arguments arguments = parsed({"s.yaml", "--threads", "2", "--shard", "2/3",
                                      "--retry-failed", "--no-bias-corr", "--time-budget", "1.5"});
  EXPECT_EQ(arguments.sweep_file, "s.yaml");
  EXPECT_EQ(arguments.options.output, "benchmark");
  EXPECT_EQ(arguments.options.shard.of, 3);
  EXPECT_EQ(arguments.options.time_budget, 1.5);
  EXPECT_EQ(arguments.settings.integer("threads"), 2);
  EXPECT_FALSE(arguments.settings.is_on("bias-corr"));
  const Arguments merge = parsed({"--merge", "a.csv", "b.csv", "--output", "o"});
  EXPECT_EQ(merge.command, Command::kMerge);
  EXPECT_THAT(merge.tables, ElementsAre("a.csv", "b.csv"));
}

TEST(BenchmarkArguments, AreRefusedByName) {
  const auto refusal = [](const std::vector<const char*>& words) -> std::string {
    try {
      parsed(words);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "nothing was refused";
  };
  EXPECT_THAT(refusal({}), HasSubstr("the sweep file is missing"));
  EXPECT_THAT(refusal({"a.yaml", "b.yaml"}), HasSubstr("unexpected argument 'b.yaml'"));
  EXPECT_THAT(refusal({"a.yaml", "--output"}), HasSubstr("--output lacks its value"));
  EXPECT_THAT(refusal({"a.yaml", "--halving", "--halving"}), HasSubstr("--halving is given twice"));
  EXPECT_THAT(refusal({"a.yaml", "--time-budget", "soon"}), HasSubstr("--time-budget"));
  EXPECT_THAT(refusal({"a.yaml", "--report", "x"}), HasSubstr("--report is for single runs"));
  EXPECT_THAT(refusal({"a.yaml", "--weight-bits", "4"}), HasSubstr("unknown flag --weight-bits"));
  EXPECT_THAT(refusal({"--merge", "--output", "o"}), HasSubstr("needs tables"));
  EXPECT_THAT(refusal({"--merge", "a.csv"}), HasSubstr("needs --output"));
}

}  // namespace
}  // namespace ptq::sweep
