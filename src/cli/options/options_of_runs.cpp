#include "cli/options/option_rows.h"

namespace ptq::cli {

Rows run_options() {
  return {
      text("config", "None", "YAML file with values for any of these options"),
      on_off("compile", "on", "run the optimised plan; off runs node by node").reference_has("off"),
      integer("threads", "None", "cores the network uses")
          .between(1, 1024)
          .by_default("all cores")
          .ours(),
      integer("gpu", "None", "index of the CUDA device; None is the CPU").at_least(0),
      integer("seed", "123456", "seed of everything random").at_least(0).ours(),
      a_switch("explain", "list what techniques changed and left out, and why").ours(),
      a_switch("attribute", "accuracy and output SQNR after each stage of quantization").ours(),
      integer("node-sqnr", "0", "images on which noise is measured node by node; 0 is off")
          .at_least(0)
          .ours(),
      a_switch("skip-float", "do not evaluate the float network").ours(),
  };
}

Rows output_options() {
  return {
      text("report", "None", "JSON file for all results").ours(),
      text("dump-quantizers", "None", "JSON file for scales, zero points and formats").ours(),
      text("dump-logits", "None", ".npy file for the quantized network's logits").ours(),
      text("dump-float-logits", "None", ".npy file for the float network's logits").ours(),
      text("export-dir", ".", "existing folder for exported networks"),
      a_switch("export-onnx-qcdq", "export the quantized network as ONNX"),
      a_switch("export-torch-qcdq", "export the quantized network as TorchScript"),
      integer("onnx-opset-version", "None", "ONNX opset")
          .at_least(1)
          .by_default("13, or what the network needs"),
      a_switch("onnx-int4-weights", "weights of up to 4 bits as int4 in ONNX (opset 21)").ours(),
      integer("check-export", "None", "validation images to run the exported files on again")
          .at_least(1)
          .by_default("none")
          .ours(),
  };
}

}  // namespace ptq::cli
