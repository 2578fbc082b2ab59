#include "ptq/data/recipe.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "ptq/base/error.h"

namespace ptq::data {
namespace {

std::string refusal_of(const Recipe& recipe) {
  try {
    check_recipe(recipe);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Recipe, NamesThatAreNotListedGetTheDefaults) {
  for (const char* name : {"resnet18", "mobilenet_v2", "a_model_of_mine", ""}) {
    const Recipe recipe = recipe_for(name);
    EXPECT_EQ(recipe.resize, 256) << name;
    EXPECT_EQ(recipe.crop, 224) << name;
    EXPECT_EQ(recipe.interpolation, Interpolation::kBilinear) << name;
    EXPECT_FLOAT_EQ(recipe.mean[2], 0.406F) << name;
    EXPECT_FLOAT_EQ(recipe.std[0], 0.229F) << name;
  }
}

TEST(Recipe, ListedNamesGetWhatTorchvisionPublishes) {
  const Recipe inception = recipe_for("inception_v3");
  EXPECT_EQ(inception.resize, 342);
  EXPECT_EQ(inception.crop, 299);
  EXPECT_EQ(inception.interpolation, Interpolation::kBilinear);
  const Recipe swin = recipe_for("swin_v2_b");
  EXPECT_EQ(swin.resize, 272);
  EXPECT_EQ(swin.crop, 256);
  EXPECT_EQ(swin.interpolation, Interpolation::kBicubic);
  const Recipe large = recipe_for("efficientnet_v2_l");
  EXPECT_FLOAT_EQ(large.mean[0], 0.5F);
  EXPECT_FLOAT_EQ(large.std[1], 0.5F);
}

TEST(Recipe, RefusesSizesAndNumbersByTheirField) {
  Recipe recipe;
  EXPECT_EQ(refusal_of(recipe), "accepted");
  recipe.resize = 0;
  EXPECT_EQ(refusal_of(recipe), "recipe.resize 0: must be in [1, 8192]");
  recipe = {};
  recipe.crop = 8193;
  EXPECT_EQ(refusal_of(recipe), "recipe.crop 8193: must be in [1, 8192]");
  recipe = {};
  recipe.mean[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(refusal_of(recipe), "recipe.mean: must be finite");
  recipe = {};
  recipe.std[2] = 0;
  EXPECT_EQ(refusal_of(recipe), "recipe.std: must be positive and finite");
}

}  // namespace
}  // namespace ptq::data
