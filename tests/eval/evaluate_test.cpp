#include "eval/evaluate.h"

#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "data/normalize.h"
#include "support/temporary_folder.h"
#include "support/test_images.h"

namespace ptq::eval {
namespace {

using ::testing::ElementsAre;

/// Answers image i with the class its grey level / 50 says, of six classes.
class GreyLevelNetwork : public runtime::Executor {
 public:
  at::Tensor run(const at::Tensor& images) override {
    batch_sizes.push_back(images.size(0));
    at::Tensor logits = at::empty({images.size(0), 6}, at::kFloat);
    const at::Tensor rows = images.contiguous();
    const int64_t image = rows.numel() / rows.size(0);
    for (int64_t i = 0; i < images.size(0); ++i) {
      const float grey = rows.data_ptr<float>()[i * image] * 255;
      for (int64_t c = 0; c < 6; ++c) {
        logits.data_ptr<float>()[i * 6 + c] = -std::abs(grey - 50.0F * static_cast<float>(c));
      }
    }
    return logits;
  }
  std::vector<int64_t> batch_sizes;
};

class Evaluate : public ::testing::Test {
 protected:
  Evaluate() {
    options_.recipe = {8, 8, {0, 0, 0}, {1, 1, 1}, data::Interpolation::kBilinear};
    for (const int grey : {0, 50, 100, 200, 250}) {
      const std::string path = folder_.file(std::to_string(grey) + ".bmp");
      support::write_grey_image(path, {8, 8}, grey);
      images_.items.push_back({path, grey / 50});
    }
    images_.classes = {"a", "b", "c", "d", "e", "f"};
    images_.items[3].label = 0;
  }

  data::Loader loader() const {
    data::LoaderOptions options;
    options.recipe = options_.recipe;
    data::Loader made(images_, {0, 1, 2, 3, 4}, options);
    made.start(options_.batch_size);
    return made;
  }

  support::TemporaryFolder folder_;
  data::ImageFolder images_;
  EvaluationOptions options_;
  GreyLevelNetwork network_;
};

TEST_F(Evaluate, RecordsPredictionsOfEveryImageInOrder) {
  options_.batch_size = 2;
  std::vector<int64_t> progress;
  data::Loader images = loader();
  const Evaluation result =
      evaluate(network_, images, options_, [&](int64_t done) { progress.push_back(done); });
  EXPECT_THAT(network_.batch_sizes, ElementsAre(2, 2, 1));
  EXPECT_THAT(progress, ElementsAre(2, 4, 5));
  EXPECT_THAT(result.items, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(result.predictions, ElementsAre(0, 1, 2, 4, 5));
  EXPECT_THAT(result.right, ElementsAre(1, 1, 1, 0, 1));
  EXPECT_EQ(result.accuracy.count, 5);
  EXPECT_EQ(result.accuracy.correct, 4);
  // Image 3, grey 200, has label 0: five classes are nearer, so it is not in the first five.
  EXPECT_EQ(result.accuracy.correct_top5, 4);
  EXPECT_EQ(result.classes, 6);
  EXPECT_FALSE(result.logits.defined());
}

TEST_F(Evaluate, KeepsLogitsWhenAsked) {
  options_.batch_size = 3;
  options_.keep_logits = true;
  data::Loader images = loader();
  const Evaluation result = evaluate(network_, images, options_, [](int64_t) {});
  ASSERT_EQ(result.logits.sizes(), at::IntArrayRef({5, 6}));
  EXPECT_EQ(result.logits.data_ptr<float>()[4 * 6 + 5], 0);
  EXPECT_EQ(result.logits.data_ptr<float>()[4 * 6 + 4], -50);
}

TEST_F(Evaluate, FingerprintsTellLogitsApart) {
  data::Loader images = loader();
  const Evaluation result = evaluate(network_, images, options_, [](int64_t) {});
  const std::set<uint64_t> distinct(result.fingerprints.begin(), result.fingerprints.end());
  EXPECT_EQ(distinct.size(), 5U);
}

}  // namespace
}  // namespace ptq::eval
