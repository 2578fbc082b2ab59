#include <ATen/core/Tensor.h>

#include "options/table/option_rows.h"
#include "ptq/data/recipe.h"
#include "ptq/data/sampling.h"

namespace ptq::options {

Rows model_options() {
  return {
      text("model", "None", "TorchScript file to evaluate").ours().not_named(),
      text("model-dir", "None", "folder in which --model-name looks for NAME.pt")
          .ours()
          .not_named(),
      text("model-name", "resnet18",
           "name of the model, which also selects the preprocessing; quant_mobilenet_v1 is "
           "defined by hand and takes its weights from the file")
          .named_in_stem(),
      a_switch("trust-model",
               "let the model file use any operator and class of LibTorch, and as much work and "
               "memory as it takes to read")
          .ours()
          .not_named(),
      text("dtype", "float", "number type that the network computes in")
          .words<at::ScalarType>(
              {{"float", at::kFloat}, {"bfloat16", at::kBFloat16}, {"float16", at::kHalf}}),
  };
}

Rows data_options() {
  return {
      text("calibration-dir", "None", "image folder for calibration")
          .from(Level::kCalibrationImages)
          .not_named(),
      text("validation-dir", "None", "image folder for measuring accuracy").not_named(),
      integer("calibration-samples", "1000", "number of calibration images")
          .at_least(1)
          .from(Level::kCalibrationImages),
      text("calibration-sampling", "stratified",
           "how they are drawn: evenly from all classes, the first in order, or at random")
          .words<data::CalibrationSampling>({{"stratified", data::CalibrationSampling::kStratified},
                                             {"first", data::CalibrationSampling::kFirst},
                                             {"random", data::CalibrationSampling::kRandom}})
          .ours()
          .from(Level::kCalibrationImages),
      integer("validation-samples", "None",
              "number of images to evaluate, drawn evenly from all classes")
          .at_least(1)
          .by_default("all images")
          .ours()
          .from(Level::kQuantized),
      integer("validation-skip", "0",
              "leave out the images that --validation-samples N would evaluate")
          .at_least(0)
          .ours()
          .from(Level::kQuantized),
      integer("label-offset", "0",
              "1 for a network whose first class is the background, a class without images")
          .between(0, 1)
          .ours()
          .from(Level::kCalibrationImages),
      a_switch("audit-calibration",
               "list the calibration images' classes, duplicates and overlap with validation")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      integer("repeat-calibration", "None",
              "number of calibration draws; reports mean and spread of top-1")
          .between(2, 1000)
          .ours()
          .from(Level::kNothing)
          .not_named(),
      integer("batch-size-calibration", "64", "images per calibration batch")
          .at_least(1)
          .from(Level::kCalibrationImages),
      integer("batch-size-validation", "256", "images per validation batch")
          .at_least(1)
          .from(Level::kQuantized)
          .not_named(),
      integer("workers", "8", "threads that decode images")
          .between(1, 1024)
          .from(Level::kNothing)
          .not_named()
          .sets("workers"),
      a_switch("skip-unreadable", "skip images that cannot be read, and list them").ours(),
  };
}

Rows recipe_options() {
  return {
      integer("resize", "None", "short side after resizing, in pixels")
          .between(1, 8192)
          .by_default("by model name")
          .ours()
          .sets("recipe.resize"),
      integer("crop", "None", "side of the square cut out of the centre, in pixels")
          .between(1, 8192)
          .by_default("by model name")
          .ours()
          .sets("recipe.crop"),
      numbers("mean", "None", "mean of red, green and blue")
          .by_default("by model name")
          .ours()
          .sets("recipe.mean"),
      numbers("std", "None", "standard deviation of red, green and blue")
          .above(0)
          .by_default("by model name")
          .ours()
          .sets("recipe.std"),
      text("interpolation", "None", "interpolation for resizing")
          .words<data::Interpolation>({{"bilinear", data::Interpolation::kBilinear},
                                       {"bicubic", data::Interpolation::kBicubic}})
          .by_default("by model name")
          .ours(),
      text("cache", "None",
           "folder that keeps crops, answers and calibrated scales for later runs (also: "
           "PTQ_CACHE)")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      number("cache-size", "20", "GiB that the folder of --cache may hold")
          .at_least(0)
          .ours()
          .from(Level::kNothing)
          .not_named(),
      number("image-memory", "2", "GiB of decoded images to keep in memory")
          .at_least(0)
          .ours()
          .from(Level::kNothing)
          .not_named(),
  };
}

}  // namespace ptq::options
