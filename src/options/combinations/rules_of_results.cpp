#include "options/combinations/rule_conditions.h"

namespace ptq::options {
namespace {

std::vector<Rule> attribution_rules() {
  return {
      {{is("attribute", {"on"}), is("skip-float", {"on"})},
       "the cost of a stage is measured against the float network"},
      {{is("attribute", {"on"}), another("load-quantizers")},
       "stages before the last have scales of their own"},
  };
}

std::vector<Rule> loading_rules() {
  constexpr std::string_view kFromFile = "the scales of activations are those of the file";
  return {
      {{another("load-quantizers"), another("act-quant-percentile")}, kFromFile},
      {{another("load-quantizers"), another("repeat-calibration")}, kFromFile},
  };
}

std::vector<Rule> draw_rules() {
  constexpr std::string_view kOtherImages =
      "the seed also draws the validation images, and draws must be compared on the same images";
  return {
      {{another("repeat-calibration"), is("calibration-sampling", {"first"})},
       "every draw would be the same"},
      {{another("repeat-calibration"), another("validation-samples")}, kOtherImages},
      {{another("repeat-calibration"), another("validation-skip")}, kOtherImages},
  };
}

std::vector<Rule> export_rules() {
  constexpr std::string_view kFloat32 = "exported networks compute in float32";
  return {
      {{is("dtype", {"bfloat16", "float16"}), is("export-onnx-qcdq", {"on"})}, kFloat32},
      {{is("dtype", {"bfloat16", "float16"}), is("export-torch-qcdq", {"on"})}, kFloat32},
  };
}

}  // namespace

std::vector<Rule> result_rules() {
  return together({attribution_rules(), loading_rules(), draw_rules(), export_rules()});
}

}  // namespace ptq::options
