#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ptq/base/error.h"
#include "support/program.h"
#include "support/temporary_folder.h"
#include "support/test_images.h"

/// Runs of the built program on ten classes of small images.
namespace ptq::cli {

using Arguments = std::vector<std::string>;

class Program : public ::testing::Test {
 protected:
  Program() {
    make_images("calibration", 2, 1);
    make_images("validation", 3, 1000);
  }

  /// One folder a class, a to j, `each` images in it.
  void make_images(const std::string& set, int each, uint32_t seed) {
    for (char name = 'a'; name <= 'j'; ++name) {
      for (int i = 0; i < each; ++i) {
        const std::string file = set + "/" + name + "/" + std::to_string(i) + ".bmp";
        support::write_noise_image(folder_.file(file), {40, 36}, seed++);
      }
    }
  }

  static std::string fixture(const std::string& name) {
    return std::string(PTQ_CLI_FIXTURES) + "/" + name;
  }

  std::string path(const std::string& relative) const { return folder_.path() + "/" + relative; }

  /// A good command line; `more` comes last.
  Arguments good(const Arguments& more = {}) const {
    Arguments all = {"--model",
                     fixture("tiny.pt"),
                     "--calibration-dir",
                     path("calibration"),
                     "--validation-dir",
                     path("validation"),
                     "--resize",
                     "32",
                     "--crop",
                     "32",
                     "--workers",
                     "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  /// The same with another value for a flag that good() gives.
  Arguments good_but(const std::string& flag, const std::string& value) const {
    Arguments all = good();
    for (size_t i = 0; i + 1 < all.size(); ++i) {
      if (all[i] == flag) all[i + 1] = value;
    }
    return all;
  }

  /// The values of a .npy file that this program wrote, after its header of 128 bytes.
  static std::vector<float> values_of(const std::string& path) {
    const std::string content = support::content_of(path);
    constexpr size_t kHeader = 128;
    std::vector<float> values((content.size() - kHeader) / sizeof(float));
    std::memcpy(values.data(), content.data() + kHeader, values.size() * sizeof(float));
    return values;
  }

  static support::ProgramResult run(const Arguments& arguments) {
    return support::run_program(PTQ_PROGRAM, arguments);
  }

  /// Runs good(more) with a report and returns it.
  nlohmann::json report_of(const Arguments& more = {}) const {
    Arguments arguments = good(more);
    arguments.insert(arguments.end(), {"--report", path("report.json")});
    return report_of_exactly(arguments);
  }

  nlohmann::json report_of_exactly(const Arguments& arguments) const {
    const support::ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(support::content_of(path("report.json")), nullptr, false);
  }

  support::TemporaryFolder folder_;
};

}  // namespace ptq::cli
