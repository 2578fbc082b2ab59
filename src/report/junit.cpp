#include "report/junit.h"

#include <vector>

#include "base/text.h"
#include "eval/gate/junit.h"

namespace ptq::report {

void write_gate_junit(const std::string& path, const std::string& run_name,
                      const RunResult& result) {
  double seconds = 0;
  for (const Stage& stage : result.stages) seconds += stage.seconds;
  std::vector<eval::JUnitCase> cases;
  cases.push_back({run_name, "guards", seconds,
                   result.guards.empty() ? eval::Verdict::kPass : eval::Verdict::kFail,
                   result.guards.empty() ? "nothing looks broken" : joined(result.guards, "; ")});
  if (result.gate) {
    cases.push_back({run_name, "top-1 drop", 0, result.gate->judgement.verdict,
                     eval::words_of(result.gate->judgement, result.gate->rule)});
  }
  eval::write_junit(path, "ptq_imagenet_val", cases);
}

}  // namespace ptq::report
