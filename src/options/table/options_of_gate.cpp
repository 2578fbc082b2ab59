#include "options/table/option_rows.h"

namespace ptq::options {

Rows gate_options() {
  return {
      text("baseline", "None",
           "predictions of an earlier run; fail if top-1 has dropped too far since")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      number("max-drop", "0.5", "largest acceptable drop, in points of top-1")
          .between(0, 99)
          .ours()
          .from(Level::kNothing)
          .not_named()
          .needs("baseline"),
      number("confidence", "95", "confidence that a pass or a fail needs, in percent")
          .between(50.1, 99.9999)
          .ours()
          .from(Level::kNothing)
          .not_named()
          .needs("baseline"),
      a_switch("strict", "fail on results that look broken, instead of warning")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      text("save-predictions", "None",
           "CSV file for the prediction of every image, usable as a baseline")
          .ours()
          .from(Level::kNothing)
          .not_named(),
      text("junit", "None", "JUnit XML file for the verdict")
          .ours()
          .from(Level::kNothing)
          .not_named()
          .needs_one_of({"baseline", "strict"},
                        "there is no verdict to write without --baseline or --strict"),
  };
}

}  // namespace ptq::options
