#include "options/table/option_rows.h"

namespace ptq::options {
namespace {

const std::vector<Need::Other> kBudgets = {"weight-budget", "size-budget", "bitops-budget"};
/// What measures layers at the candidate widths.
const std::vector<Need::Other> kMeasurements = {"weight-budget", "size-budget", "bitops-budget",
                                                "sensitivity", "pareto"};

}  // namespace

Rows bit_options() {
  return {
      number("weight-budget", "None", "mean bits a weight; each layer gets the width that suits it")
          .between(2, 16)
          .ours()
          .from(Level::kActivations)
          .sets("budget.mean_weight_bits"),
      text("size-budget", "None", "size of the network, like 2.5MiB; chooses bits as above")
          .ours()
          .from(Level::kActivations)
          .sets("budget.bytes"),
      number("bitops-budget", "None",
             "bit operations as a share of those of W8A8, like 0.25; chooses bits of weights and "
             "activations")
          .above(0, 16)
          .ours()
          .from(Level::kActivations)
          .sets("budget.bit_operations")
          .needs("act-bit-width", {},
                 "bit operations are products of weights and activations, which are not quantized"),
      text("candidate-bits", "W2,W3,W4,W6,W8,A4,A6,A8", "widths to choose from, and to measure")
          .ours()
          .from(Level::kActivations)
          .sets("candidate_bits")
          .needs_one_of(kMeasurements),
      integer("sensitivity-images", "None", "calibration images that sensitivities are measured on")
          .at_least(1)
          .by_default("as many as cost 20 float evaluations of the calibration images")
          .ours()
          .from(Level::kActivations)
          .needs_one_of(kMeasurements),
  };
}

Rows bit_output_options() {
  return {
      text("sensitivity", "None",
           "CSV file for what each layer's weights and each activation lose at each width")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      text("pareto", "None",
           "number of weight budgets (4), or the budgets with commas (3,4,5, or 4, for one), whose "
           "accuracy is measured beside that of uniform widths")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      text("save-pareto", "None", "CSV file for what --pareto measures")
          .ours()
          .from(Level::kNothing)
          .not_named()
          .needs("pareto"),
      text("save-layer-bits", "None", "YAML file for the chosen bits, to be given to --config")
          .ours()
          .from(Level::kNothing)
          .not_named()
          .needs_one_of(kBudgets,
                        "there are no bits to save without --weight-budget, --size-budget or "
                        "--bitops-budget"),
  };
}

}  // namespace ptq::options
