#include "cli/options/option_rows.h"

namespace ptq::cli {

Rows model_options() {
  return {
      text("model", "None", "TorchScript file to evaluate").ours(),
      text("model-dir", "None", "folder in which --model-name looks for NAME.pt").ours(),
      text("model-name", "resnet18",
           "name of the model; also says its preprocessing. quant_mobilenet_v1 is defined by hand "
           "and takes its weights from the file"),
      text("dtype", "float", "number type of the network").one_of({"float", "bfloat16", "float16"}),
  };
}

Rows data_options() {
  return {
      text("calibration-dir", "None", "image folder that calibrates the activations"),
      text("validation-dir", "None", "image folder on which accuracy is measured"),
      integer("calibration-samples", "1000", "images used for calibration").at_least(1),
      text("calibration-sampling", "stratified",
           "which images: evenly from all classes, the "
           "first in order, or any")
          .one_of({"stratified", "first", "random"})
          .ours(),
      integer("validation-samples", "None", "images to evaluate, evenly from all classes")
          .at_least(1)
          .by_default("all images")
          .ours(),
      a_switch("audit-calibration", "list classes, duplicates and overlap of calibration images")
          .ours(),
      integer("repeat-calibration", "None", "calibration draws, for mean and spread of top-1")
          .between(2, 1000)
          .ours(),
      integer("batch-size-calibration", "64", "images a calibration batch").at_least(1),
      integer("batch-size-validation", "256", "images a validation batch").at_least(1),
      integer("workers", "8", "threads that decode images").between(1, 1024),
      a_switch("skip-unreadable", "leave out images that cannot be read, and list them").ours(),
      integer("resize", "None", "pixels of the short side after resizing")
          .between(1, 8192)
          .by_default("by model name")
          .ours(),
      integer("crop", "None", "pixels of the square cut out of the centre")
          .between(1, 8192)
          .by_default("by model name")
          .ours(),
      numbers("mean", "None", "mean of red, green and blue").by_default("by model name").ours(),
      numbers("std", "None", "deviation of red, green and blue")
          .above(0)
          .by_default("by model name")
          .ours(),
      text("interpolation", "None", "how to resize")
          .one_of({"bilinear", "bicubic"})
          .by_default("by model name")
          .ours(),
      number("image-memory", "2", "GiB in which decoded images are kept").at_least(0).ours(),
  };
}

}  // namespace ptq::cli
