// Scales from the file of an earlier run: calibrate once, evaluate anywhere.
#include <gmock/gmock.h>

#include <cstdlib>

#include "cli/program_fixture.h"

namespace ptq::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class LoadQuantizers : public Program {
 protected:
  support::ProgramResult succeeds(const Arguments& more) const {
    support::ProgramResult result = run(good(more));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result;
  }

  /// Bytes of the logits of a run on the scales in q.json.
  std::string loaded_logits(const Arguments& more) const {
    Arguments all = more;
    all.insert(all.end(), {"--load-quantizers", path("q.json"), "--dump-logits", path("loaded.npy"),
                           "--skip-float"});
    succeeds(all);
    return support::content_of(path("loaded.npy"));
  }

  /// Writes q.json and returns the logits.
  std::string calibrated_logits(const Arguments& more) const {
    Arguments all = more;
    all.insert(all.end(), {"--dump-quantizers", path("q.json"), "--dump-logits",
                           path("calibrated.npy"), "--skip-float"});
    succeeds(all);
    return support::content_of(path("calibrated.npy"));
  }
};

TEST_F(LoadQuantizers, GiveTheLogitsOfTheRunThatDumpedThem) {
  const std::vector<Arguments> runs = {
      {},
      {"--no-compile"},
      {"--arithmetic", "float"},
      {"--weight-quant-granularity", "per_channel", "--weight-bit-width", "4"},
      {"--act-quant-type", "asym", "--weight-quant-type", "asym", "--weight-narrow-range"},
      {"--weight-quant-calibration-type", "hqo", "--weight-quant-type", "asym"},
      {"--target-backend", "flexml", "--scale-factor-type", "po2_scale", "--bias-bit-width", "16"},
      {"--target-backend", "layerwise", "--gptq", "--weight-bit-width", "4"},
      {"--quant-format", "float", "--bias-bit-width", "None"},
      {"--act-scale-computation-type", "dynamic", "--bias-bit-width", "None"},
      {"--weight-quant-granularity", "per_group", "--bias-bit-width", "None"},
      {"--act-bit-width", "None"}};
  for (const Arguments& each : runs) {
    const std::string expected = calibrated_logits(each);
    const std::string first = support::content_of(path("q.json"));
    Arguments again = each;
    again.insert(again.end(), {"--dump-quantizers", path("again.json")});
    EXPECT_TRUE(loaded_logits(again) == expected) << ::testing::PrintToString(each);
    EXPECT_EQ(support::content_of(path("again.json")), first);
  }
}

TEST_F(LoadQuantizers, GiveTheSameBitsHoweverTheNetworkRuns) {
  const Arguments same = {"--no-bias-corr", "--weight-quant-granularity", "per_channel"};
  const std::string expected = calibrated_logits(same);
  for (const char* isa : {"", "AVX2", "SSE41"}) {
    if (*isa != '\0') setenv("PTQ_MAX_CPU_ISA", isa, 1), setenv("ONEDNN_MAX_CPU_ISA", isa, 1);
    for (const auto& [threads, batch] : {std::pair{"1", "1"}, {"2", "7"}, {"2", "64"}}) {
      Arguments more = same;
      more.insert(more.end(), {"--threads", threads, "--batch-size-validation", batch});
      EXPECT_TRUE(loaded_logits(more) == expected) << isa << " " << threads << " " << batch;
    }
    unsetenv("PTQ_MAX_CPU_ISA"), unsetenv("ONEDNN_MAX_CPU_ISA");
  }
}

TEST_F(LoadQuantizers, AreKnownToACacheByWhatTheirFileHolds) {
  for (const char* percentile : {"99.999", "80"}) {
    const std::string expected = calibrated_logits({"--act-quant-percentile", percentile});
    EXPECT_TRUE(loaded_logits({"--cache", path("cache")}) == expected) << percentile;
  }
}

TEST_F(LoadQuantizers, NeedNoCalibration) {
  calibrated_logits({"--no-bias-corr"});
  const support::ProgramResult result =
      succeeds({"--load-quantizers", path("q.json"), "--no-bias-corr"});
  EXPECT_THAT(result.out, HasSubstr("no calibration: no option needs it"));
  EXPECT_THAT(result.out, HasSubstr(" quantizers of " + path("q.json")));
  EXPECT_THAT(result.out, Not(HasSubstr("weight scales")));
}

TEST_F(LoadQuantizers, AreRefusedWhereTheyDoNotFit) {
  calibrated_logits({});
  const auto refused = [&](const Arguments& more, ExitCode code, const std::string& sentence) {
    const support::ProgramResult result = run(good(more));
    EXPECT_EQ(result.exit_code, static_cast<int>(code));
    EXPECT_THAT(result.err, HasSubstr(sentence));
  };
  const std::string file = path("q.json");
  refused({"--load-quantizers", file, "--weight-bit-width", "4"}, ExitCode::kQuantization,
          file +
              " does not fit the network: the weight quantizer of stem.0 has the bit_width 8, "
              "and the network's has 4");
  refused({"--load-quantizers", file, "--bias-bit-width", "None"}, ExitCode::kQuantization,
          file + " does not fit the network, which lacks the bias quantizer of ");
  refused({"--load-quantizers", file, "--attribute"}, ExitCode::kUsage,
          "--attribute with --load-quantizers");
  refused({"--load-quantizers", file, "--dump-quantizers", file}, ExitCode::kUsage,
          "q.json cannot be written: it is the file of --load-quantizers, which this run reads");
  const std::string broken = folder_.write("broken.json", "[{\"kind\":");
  refused({"--load-quantizers", broken}, ExitCode::kData, "error: " + broken + " is no JSON");
  refused({"--load-quantizers", path("none.json")}, ExitCode::kData,
          "error: " + path("none.json") + " cannot be read");
}

}  // namespace
}  // namespace ptq::cli
