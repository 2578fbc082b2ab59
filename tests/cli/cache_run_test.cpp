#include <gmock/gmock.h>

#include <filesystem>

#include "cli/program_fixture.h"

namespace ptq::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

class CacheRun : public Program {
 protected:
  /// Everything but times, and what says that there was a cache.
  static std::string outcome(json report) {
    for (const char* key :
         {"cache", "stages", "images_per_second", "peak_rss_mib", "command", "passes"}) {
      report.erase(key);
    }
    for (const char* file : {"cache", "dump_logits"}) report.at("config").erase(file);
    for (const char* network : {"float", "quantized"}) {
      report.at(network).erase("network_seconds");
      report.at(network).erase("waiting_seconds");
    }
    return report.dump();
  }

  json cached(const Arguments& more = {}) const {
    Arguments all = more;
    all.insert(all.end(), {"--cache", path("cache"), "--dump-logits", path("logits.npy")});
    return report_of(all);
  }
  std::string logits() const { return support::content_of(path("logits.npy")); }
};

TEST_F(CacheRun, GivesWhatARunWithoutItGives) {
  const std::string expected = outcome(report_of({"--dump-logits", path("logits.npy")}));
  const std::string expected_logits = logits();
  const json first = cached();
  EXPECT_EQ(outcome(first), expected);
  EXPECT_EQ(logits(), expected_logits);
  EXPECT_EQ(first.at("cache").at("crops").at("made"), 50);
  EXPECT_EQ(first.at("cache").at("answers").at("made"), 2);
  EXPECT_EQ(first.at("cache").at("scales").at("made"), 2);
  EXPECT_GT(first.at("cache").at("checks").at("made"), 0);
  const json second = cached();
  EXPECT_EQ(outcome(second), expected);
  EXPECT_EQ(logits(), expected_logits);
  EXPECT_EQ(second.at("cache").at("answers").at("found"), 2);
  EXPECT_EQ(second.at("cache").at("scales").at("found"), 2);
  EXPECT_GT(second.at("cache").at("checks").at("found"), 0);
  EXPECT_EQ(second.at("cache").at("checks").at("made"), 0);
  EXPECT_EQ(second.at("cache").at("crops").at("made"), 0);
  EXPECT_THAT(second.at("cache").at("stages").dump(), HasSubstr("float evaluation"));
}

TEST_F(CacheRun, OtherOptionsShareWhatDoesNotDependOnThem) {
  cached();
  const std::string expected = outcome(report_of({"--weight-bit-width", "5"}));
  const json other = cached({"--weight-bit-width", "5"});
  EXPECT_EQ(outcome(other), expected);
  EXPECT_EQ(other.at("cache").at("answers").at("found"), 1);
  EXPECT_EQ(other.at("cache").at("answers").at("made"), 1);
  EXPECT_EQ(other.at("cache").at("scales").at("found"), 2);
  const json percentile = cached({"--act-quant-percentile", "99"});
  EXPECT_EQ(outcome(percentile), outcome(report_of({"--act-quant-percentile", "99"})));
  EXPECT_EQ(percentile.at("cache").at("scales").at("made"), 2);
}

TEST_F(CacheRun, AChangedImageIsReadAnew) {
  cached();
  support::write_noise_image(path("validation/a/0.bmp"), {40, 36}, 77);
  const std::string expected = outcome(report_of());
  const json changed = cached();
  EXPECT_EQ(outcome(changed), expected);
  EXPECT_EQ(changed.at("cache").at("crops").at("made"), 1);
  EXPECT_EQ(changed.at("cache").at("answers").at("found"), 0);
}

TEST_F(CacheRun, SaysWhatWasDamagedAndMakesItAnew) {
  const std::string expected = outcome(cached());
  for (const auto& entry : fs::directory_iterator(path("cache"))) {
    if (entry.path().extension() == ".pack")
      fs::resize_file(entry.path(), fs::file_size(entry) / 2);
  }
  json again = cached();
  EXPECT_THAT(again.at("warnings").dump(), HasSubstr("what it held is made anew"));
  again.at("warnings") = cached().at("warnings");
  EXPECT_EQ(outcome(again), expected);
}

TEST_F(CacheRun, TheVariableNamesAFolderToo) {
  setenv("PTQ_CACHE", path("cache").c_str(), 1);
  const json report = report_of();
  unsetenv("PTQ_CACHE");
  EXPECT_EQ(report.at("cache").at("directory"), path("cache"));
  const support::ProgramResult result = run(good({"--cache", fixture("tiny.pt")}));
  EXPECT_THAT(result.err, HasSubstr("tiny.pt"));
  EXPECT_NE(result.exit_code, 0);
}

}  // namespace
}  // namespace ptq::cli
