#include "ptq/data/recipe.h"

#include <cmath>
#include <string>

#include "ptq/base/error.h"
#include "ptq/base/invalid_option.h"

namespace ptq::data {
namespace {

constexpr Interpolation kBilinear = Interpolation::kBilinear;
constexpr Interpolation kBicubic = Interpolation::kBicubic;

// Models that depart from 256 / 224 bilinear.
struct Row {
  std::string_view model;
  int64_t resize;
  int64_t crop;
  Interpolation interpolation;
};
constexpr Row kRows[] = {
    {"convnext_base", 232, 224, kBilinear},
    {"convnext_large", 232, 224, kBilinear},
    {"convnext_small", 230, 224, kBilinear},
    {"convnext_tiny", 236, 224, kBilinear},
    {"efficientnet_b0", 256, 224, kBicubic},
    {"efficientnet_b1", 256, 240, kBicubic},
    {"efficientnet_b2", 288, 288, kBicubic},
    {"efficientnet_b3", 320, 300, kBicubic},
    {"efficientnet_b4", 384, 380, kBicubic},
    {"efficientnet_b5", 456, 456, kBicubic},
    {"efficientnet_b6", 528, 528, kBicubic},
    {"efficientnet_b7", 600, 600, kBicubic},
    {"efficientnet_v2_l", 480, 480, kBicubic},
    {"efficientnet_v2_m", 480, 480, kBilinear},
    {"efficientnet_v2_s", 384, 384, kBilinear},
    {"inception_v3", 342, 299, kBilinear},
    {"maxvit_t", 224, 224, kBicubic},
    {"mnasnet0_75", 232, 224, kBilinear},
    {"mnasnet1_3", 232, 224, kBilinear},
    {"regnet_y_128gf", 384, 384, kBicubic},
    {"resnext101_64x4d", 232, 224, kBilinear},
    {"shufflenet_v2_x1_5", 232, 224, kBilinear},
    {"shufflenet_v2_x2_0", 232, 224, kBilinear},
    {"swin_b", 238, 224, kBicubic},
    {"swin_s", 246, 224, kBicubic},
    {"swin_t", 232, 224, kBicubic},
    {"swin_v2_b", 272, 256, kBicubic},
    {"swin_v2_s", 260, 256, kBicubic},
    {"swin_v2_t", 260, 256, kBicubic},
    {"vit_h_14", 518, 518, kBicubic},
    {"vit_l_16", 242, 224, kBilinear},
};

void check_size(const char* field, int64_t size) {
  constexpr int64_t kLargest = 8192;
  if (size >= 1 && size <= kLargest) return;
  throw InvalidOption(field, "must be in [1, " + std::to_string(kLargest) + "]",
                      std::to_string(size));
}

}  // namespace

Recipe recipe_for(std::string_view model_name) {
  Recipe recipe;
  for (const Row& row : kRows) {
    if (row.model != model_name) continue;
    recipe.resize = row.resize;
    recipe.crop = row.crop;
    recipe.interpolation = row.interpolation;
  }
  if (model_name == "efficientnet_v2_l") {
    recipe.mean = {0.5F, 0.5F, 0.5F};
    recipe.std = {0.5F, 0.5F, 0.5F};
  }
  return recipe;
}

void check_recipe(const Recipe& recipe) {
  check_size("recipe.resize", recipe.resize);
  check_size("recipe.crop", recipe.crop);
  for (const float mean : recipe.mean) {
    if (!std::isfinite(mean)) throw InvalidOption("recipe.mean", "must be finite");
  }
  for (const float std : recipe.std) {
    if (!std::isfinite(std) || std <= 0)
      throw InvalidOption("recipe.std", "must be positive and finite");
  }
}

}  // namespace ptq::data
