#include "cli/options/option_rows.h"

namespace ptq::cli {

Rows gate_options() {
  return {
      text("baseline", "None", "predictions of an earlier run; fail if top-1 dropped too far")
          .ours(),
      number("max-drop", "0.5", "points of top-1 that may be lost").between(0, 99).ours(),
      number("confidence", "95", "percent; how sure a pass or a fail has to be")
          .between(50.1, 99.9999)
          .ours(),
      a_switch("strict", "fail on results that look broken, which else are warned of").ours(),
      text("save-predictions", "None", "CSV file for every image's answer, a later baseline")
          .ours(),
      text("junit", "None", "JUnit XML file for the verdict").ours(),
  };
}

}  // namespace ptq::cli
