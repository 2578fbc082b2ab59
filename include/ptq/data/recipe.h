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

/// Views of images, so that few images show a network more: a random part of the image with an area
/// between `smallest_area` and all of it and sides of 3:4 to 4:3, resized to the crop, and mirrored
/// half of the time (torchvision's RandomResizedCrop and RandomHorizontalFlip).
struct Augmentation {
  /// Of each image, besides its crop. 0: none.
  int64_t views = 0;
  /// As a part of the image's area, in (0, 1]. The centre crop of a recipe has about a half.
  double smallest_area = 0.25;
  /// What is drawn depends on it, on the image's place in the folder and on the number of its view.
  uint64_t seed = 0;
};

/// Throws InvalidOption unless `views` lies in [0, 1000] and `smallest_area` in (0, 1].
void check_augmentation(const Augmentation& augmentation);

}  // namespace ptq::data
