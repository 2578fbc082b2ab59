#include "cli/options/option_rows.h"

namespace ptq::cli {

Rows gate_options() {
  return {
      text("baseline", "None",
           "predictions of an earlier run; fail if top-1 has dropped too far since")
          .ours(),
      number("max-drop", "0.5", "largest acceptable drop, in points of top-1")
          .between(0, 99)
          .ours(),
      number("confidence", "95", "confidence that a pass or a fail needs, in percent")
          .between(50.1, 99.9999)
          .ours(),
      a_switch("strict", "fail on results that look broken, instead of warning").ours(),
      text("save-predictions", "None",
           "CSV file for the prediction of every image, usable as a baseline")
          .ours(),
      text("junit", "None", "JUnit XML file for the verdict").ours(),
  };
}

}  // namespace ptq::cli
