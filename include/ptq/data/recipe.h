#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ptq::data {

enum class Interpolation { kBilinear, kBicubic };

/// How an image becomes a model's input: the short side is resized to `resize`, the centre
/// `crop` x `crop` is cut out, values are divided by 255 and normalized per channel (red, green,
/// blue).
struct Recipe {
  int64_t resize = 256;
  int64_t crop = 224;
  std::array<float, 3> mean = {0.485F, 0.456F, 0.406F};
  std::array<float, 3> std = {0.229F, 0.224F, 0.225F};
  Interpolation interpolation = Interpolation::kBilinear;
};

/// The inference recipe torchvision 0.14 publishes with the IMAGENET1K_V1 weights of a
/// classification model; with IMAGENET1K_SWAG_E2E_V1 for vit_h_14 and regnet_y_128gf, which have no
/// others. A name that is not in the table gets the defaults of Recipe.
///
/// inception_v3 and googlenet have ImageNet's mean and deviation, as published: their modules
/// convert to their own normalization (`transform_input`).
Recipe recipe_for(std::string_view model_name);

/// Throws InvalidOption unless sizes lie in [1, 8192], `mean` is finite and `std`
/// positive and finite.
void check_recipe(const Recipe& recipe);

}  // namespace ptq::data
