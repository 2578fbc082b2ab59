#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <string>

#include "data/normalize.h"
#include "eval/evaluate.h"
#include "import/import.h"
#include "passes/correct_biases.h"
#include "passes/pipeline.h"
#include "ptq/backends/placement.h"
#include "ptq/data/image_folder.h"
#include "ptq/data/loader.h"
#include "ptq/data/sampling.h"
#include "ptq/passes/calibrate.h"

namespace ptq::passes::testing {

constexpr int kThreads = 2;

/// Shared models on the sample of ImageNet: 300 images to evaluate on.
class MeasuredModel : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* data = std::getenv("PTQ_TEST_DATA");
    if (data == nullptr) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
    data_ = data;
  }

  /// Prepared, but neither equalized nor split.
  ir::Graph prepared(const std::string& model) const {
    ir::Graph graph = import::import_torchscript(data_ + "/models/" + model + ".pt", {224});
    prepare(graph, {});
    return graph;
  }

  /// The first `count` images of the calibration or the validation set.
  std::shared_ptr<data::Loader> images(const std::string& set, int64_t count) const {
    const std::string folder = data_ + "/data/imagenet-sample/" + set;
    data::ImageFolder found = data::open_image_folder(folder);
    auto items = data::draw_calibration_items(found, count, data::CalibrationSampling::kFirst, 0);
    data::LoaderOptions options;
    options.workers = kThreads;
    return std::make_shared<data::Loader>(std::move(found), std::move(items), options);
  }

  static NextBatch batches(const std::shared_ptr<data::Loader>& loader) {
    loader->start(50);
    return [loader]() -> std::optional<at::Tensor> {
      const auto batch = loader->next();
      return batch ? std::optional(data::normalize(batch->pixels, {})) : std::nullopt;
    };
  }

  /// Processor time: other work on the machine does not count.
  template <class Work>
  static double seconds(Work&& work) {
    const std::clock_t start = std::clock();
    work();
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  }

  std::string data_;
};

}  // namespace ptq::passes::testing
