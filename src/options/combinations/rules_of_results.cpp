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

std::vector<Rule> page_rules() {
  return {{{another("page-images"), is("page", {"None"})}, kNoEffect}};
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

std::vector<Rule> gate_rules() {
  const Condition no_baseline = is("baseline", {"None"});
  return {
      {{another("max-drop"), no_baseline}, kNoEffect},
      {{another("confidence"), no_baseline}, kNoEffect},
      {{another("junit"), no_baseline, is("strict", {"off"})},
       "there is no verdict to write without --baseline or --strict"},
  };
}

std::vector<Rule> export_rules() {
  const Condition no_onnx = is("export-onnx-qcdq", {"off"});
  const Condition no_torchscript = is("export-torch-qcdq", {"off"});
  constexpr std::string_view kFloat32 = "exported networks compute in float32";
  return {
      {{another("export-dir"), no_onnx, no_torchscript}, kNoEffect},
      {{another("check-export"), no_onnx, no_torchscript}, kNoEffect},
      {{another("onnx-opset-version"), no_onnx}, kNoEffect},
      {{another("onnx-int4-weights"), no_onnx}, kNoEffect},
      {{is("dtype", {"bfloat16", "float16"}), is("export-onnx-qcdq", {"on"})}, kFloat32},
      {{is("dtype", {"bfloat16", "float16"}), is("export-torch-qcdq", {"on"})}, kFloat32},
  };
}

}  // namespace

std::vector<Rule> result_rules() {
  return together({attribution_rules(), loading_rules(), page_rules(), draw_rules(), gate_rules(),
                   export_rules()});
}

}  // namespace ptq::options
