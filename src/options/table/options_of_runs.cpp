#include "options/table/option_rows.h"
#include "ptq/runtime/executor.h"

namespace ptq::options {

Rows run_options() {
  return {
      text("config", "None", "YAML file with values for any of these options")
          .from(Level::kNothing)
          .not_named(),
      on_off("compile", "on", "run the optimised plan; off runs node by node").reference_has("off"),
      text("arithmetic", "integer", "what quantized layers compute in, in the optimised plan")
          .words<runtime::Arithmetic>(
              {{"integer", runtime::Arithmetic::kInteger}, {"float", runtime::Arithmetic::kFloat}})
          .ours()
          .from(Level::kQuantized),
      integer("threads", "None", "number of cores to use")
          .between(1, 1024)
          .by_default("all cores")
          .ours()
          .not_named(),
      integer("gpu", "None",
              "index of the CUDA device; None uses the CPU. Rounding techniques run on the CPU all "
              "the same")
          .at_least(0),
      integer("seed", "123456", "seed for all random choices")
          .at_least(0)
          .ours()
          .from(Level::kCalibrationImages),
      a_switch("explain", "list what each technique changed, what it left out, and why")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      a_switch("attribute", "measure accuracy and output SQNR after each stage of quantization")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      integer("node-sqnr", "0", "number of images for measuring the noise at every node; 0 is off")
          .at_least(0)
          .ours()
          .from(Level::kNothing)
          .not_named(),
      a_switch("verify-determinism",
               "run a second time with other numbers of threads, workers and images a batch, and "
               "with hardly any memory, and compare logits, quantizers, exported files and the "
               "report byte by byte")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      a_switch("skip-float", "do not evaluate the float network")
          .ours()
          .from(Level::kNothing)
          .not_named(),
  };
}

Rows output_options() {
  return {
      text("report", "None", "JSON file for all results").ours().from(Level::kNothing).not_named(),
      text("page", "None", "HTML file that shows the run, to open in a browser")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      integer("page-images", "24", "images in the page, of those answered otherwise than in float")
          .between(0, 200)
          .ours()
          .from(Level::kNothing)
          .not_named()
          .needs("page"),
      text("dump-graph", "None", ".svg or .dot file for the graph with its quantizers")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      text("dump-quantizers", "None", "JSON file for scales, zero points and formats")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      text("dump-logits", "None", ".npy file for the quantized network's logits")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      text("dump-float-logits", "None", ".npy file for the float network's logits")
          .ours()
          .not_named(),
      text("export-dir", ".", "existing folder for exported networks")
          .from(Level::kNothing)
          .not_named()
          .needs_one_of({"export-onnx-qcdq", "export-torch-qcdq"}),
      a_switch("export-onnx-qcdq", "export the quantized network as ONNX")
          .from(Level::kNothing)
          .not_named(),
      a_switch("export-torch-qcdq", "export the quantized network as TorchScript")
          .from(Level::kNothing)
          .not_named(),
      integer("onnx-opset-version", "None", "ONNX opset")
          .at_least(1)
          .by_default("13, or what the network needs")
          .from(Level::kNothing)
          .not_named()
          .needs("export-onnx-qcdq"),
      a_switch("onnx-int4-weights", "store weights of up to 4 bits as int4 in ONNX (opset 21)")
          .ours()
          .from(Level::kNothing)
          .not_named()
          .needs("export-onnx-qcdq"),
      integer("check-export", "None",
              "number of validation images on which to run the exported files again")
          .at_least(1)
          .by_default("none")
          .ours()
          .from(Level::kNothing)
          .not_named()
          .needs_one_of({"export-onnx-qcdq", "export-torch-qcdq"}),
  };
}

}  // namespace ptq::options
