// Runs the programs themselves: sweeps, killed and divided, against single runs.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "cli/program_fixture.h"
#include "sweep/text_table.h"

namespace ptq::sweep {
namespace {

using cli::Arguments;
using ::testing::HasSubstr;

class Benchmark : public cli::Program {
 protected:
  Benchmark() {
    folder_.write("sweep.yaml",
                  "models: {model: " + fixture("tiny.pt") +
                      ", resize: 32, crop: 32}\n"
                      "options:\n"
                      "  calibration-dir: " +
                      path("calibration") +
                      "\n"
                      "  validation-dir: " +
                      path("validation") +
                      "\n"
                      "  workers: 1\n"
                      "  target-backend: [fx, layerwise]\n"
                      "  graph-eq-iterations: [0, 20]\n"
                      "  act-quant-type: [sym, asym]\n"
                      "  weight-bit-width: [4, 8]\n"
                      "exclude: {target-backend: layerwise, graph-eq-iterations: 0}\n");
  }

  Arguments sweep(const std::string& output, const Arguments& more = {}) const {
    Arguments all = {path("sweep.yaml"), "--output", path(output)};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  static support::ProgramResult benchmark(const Arguments& arguments) {
    return support::run_program(PTQ_BENCHMARK, arguments);
  }

  void expect_success(const Arguments& arguments) {
    const support::ProgramResult result = benchmark(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }

  /// Everything but times.
  TextTable results(const std::string& output) const {
    TextTable table = read_csv(path(output + "/results.csv"));
    for (auto& row : table.rows) row[table.index_of("seconds")] = "";
    return table;
  }

  /// Starts a sweep and kills it after a while.
  void kill_after(const Arguments& arguments, int milliseconds) const {
    const pid_t child = fork();
    if (child == 0) {
      std::vector<char*> argv = {const_cast<char*>(PTQ_BENCHMARK)};
      for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
      argv.push_back(nullptr);
      if (freopen("/dev/null", "w", stdout) == nullptr) _exit(126);
      execv(PTQ_BENCHMARK, argv.data());
      _exit(127);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
};

TEST_F(Benchmark, GivesWhatSingleRunsGive) {
  expect_success(sweep("out", {"--save-quantizers"}));
  const TextTable table = results("out");
  ASSERT_EQ(table.rows.size(), 12U);
  for (const auto& row : table.rows) {
    const auto cell = [&](const char* column) { return table.cell(row, column); };
    ASSERT_EQ(cell("status"), "done") << cell("error");
    const nlohmann::json report = report_of(
        {"--target-backend", cell("target_backend"), "--graph-eq-iterations",
         cell("graph_eq_iterations"), "--act-quant-type", cell("act_quant_type"),
         "--weight-bit-width", cell("weight_bit_width"), "--dump-quantizers", path("single.json")});
    EXPECT_EQ(report.at("quantized").at("correct"), std::stoll(cell("correct")));
    // The table has three decimals of a percentage.
    EXPECT_NEAR(report.at("quantized").at("correct_top5").get<double>() / 30,
                std::stod(cell("quant_top5")) / 100, 5.1e-6);
    EXPECT_EQ(support::content_of(path("single.json")),
              support::content_of(path("out/" + cell("quantizers"))))
        << cell("configuration");
  }
}

TEST_F(Benchmark, HasTheSameTableWhereverItWasKilled) {
  expect_success(sweep("whole"));
  const TextTable whole = results("whole");
  std::mt19937 random(7);
  for (int kills = 0; kills < 4; ++kills) {
    kill_after(sweep("killed"), static_cast<int>(300 + random() % 1500));
  }
  expect_success(sweep("killed"));
  const TextTable killed = results("killed");
  EXPECT_EQ(killed.columns, whole.columns);
  EXPECT_EQ(killed.rows, whole.rows);
}

TEST_F(Benchmark, MergesShardsIntoTheSameTable) {
  expect_success(sweep("whole"));
  expect_success(sweep("parts", {"--shard", "1/2"}));
  expect_success(sweep("parts", {"--shard", "2/2"}));
  expect_success({"--merge", path("parts/journal-1-of-2.csv"), path("parts/journal-2-of-2.csv"),
                  "--output", path("parts")});
  EXPECT_EQ(results("parts").rows, results("whole").rows);
}

bool is_installed(const std::string& program) {
  return support::run_program("/bin/sh", {"-c", "command -v " + program}).exit_code == 0;
}

std::string script(const char* name) { return std::string(PTQ_SWEEP_SCRIPTS) + "/" + name; }

TEST_F(Benchmark, MergesTheShardsOfASlurmJobArrayIntoTheSameTable) {
  if (!is_installed("slurmctld") || !is_installed("munged")) {
    GTEST_SKIP() << "slurm-wlm or munge is not installed";
  }
  if (geteuid() != 0 && !is_installed("sinfo")) GTEST_SKIP() << "starting Slurm takes root";
  const support::ProgramResult result = support::run_program(
      "/bin/bash", {script("slurm.sh"), PTQ_BENCHMARK, path("sweep.yaml"), "--threads", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("13 lines, the same in one piece and from two shards"));
}

TEST_F(Benchmark, WritesAPageThatSortsAndAsksNoServer) {
  if (!is_installed("chromium")) GTEST_SKIP() << "chromium is not installed";
  expect_success(sweep("out"));
  const support::ProgramResult result =
      support::run_program("/bin/bash", {script("page_check.sh"), path("out/results.html")});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("rows=12 rising=true falling=true dots=12 requests=0"));
}

TEST_F(Benchmark, GoesOnBehindAFailure) {
  folder_.write("sweep.yaml",
                "models: {model: " + fixture("tiny.pt") +
                    ", resize: 32, crop: 32}\noptions:\n  calibration-dir: " + path("calibration") +
                    "\n  validation-dir: " + path("validation") +
                    "\n  calibration-samples: [9999, 20]\n");
  const support::ProgramResult result = benchmark(sweep("out"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const TextTable table = results("out");
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_THAT(table.cell(table.rows[0], "error"), HasSubstr("9999 calibration images"));
  EXPECT_EQ(table.cell(table.rows[1], "error"), "");
}

TEST_F(Benchmark, FailsWhereEveryConfigurationDoes) {
  const support::ProgramResult result = benchmark(sweep("out", {"--calibration-samples", "9999"}));
  EXPECT_EQ(result.exit_code, static_cast<int>(ExitCode::kQuantization));
  EXPECT_THAT(result.err, HasSubstr("all 12 configurations failed"));
  EXPECT_EQ(results("out").rows.size(), 12U);
}

TEST_F(Benchmark, SaysWhatIsWrong) {
  folder_.write("sweep.yaml", "models: a\noptions: {weight-bits: 4}\n");
  const support::ProgramResult result = benchmark(sweep("out"));
  EXPECT_EQ(result.exit_code, 64);
  EXPECT_EQ(result.err,
            "error: " + path("sweep.yaml") + ": 'options': no option is named 'weight-bits'\n");
}

}  // namespace
}  // namespace ptq::sweep
