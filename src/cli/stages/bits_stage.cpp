#include "cli/stages/bits_stage.h"

#include <string>
#include <vector>

#include "cli/stages/pareto_stage.h"
#include "report/bits_tables.h"
#include "workflow/bits/candidates.h"
#include "workflow/bits/loss_meter.h"
#include "workflow/bits/search.h"
#include "workflow/bits/sensitivity.h"

namespace ptq::cli {

void choose_bits(Run& run, const ir::Graph& imported, ImageSets& images, QuantizeConfig& quantize) {
  const options::BitsConfig& wanted = run.config.bits;
  if (!wanted.any()) return;
  workflow::Context context{run.config.execution, run.log, run.session};
  context.network_name = run.config.model_file;
  const BitSearchOptions& search = wanted.search;
  const auto candidates = timed(run.log, "candidate widths", [&] {
    return workflow::bit_candidates(imported, quantize, search.sensitivity.candidates,
                                    images.calibration(), context);
  });
  const workflow::LossMeter meter(
      candidates.network, images.calibration(),
      workflow::sensitivity_images(candidates, search.sensitivity, images.calibration()), context);
  run.result.sensitivity = workflow::measure_sensitivity(candidates, meter, quantize, context);
  for (const std::string& line : workflow::sensitivity_lines(*run.result.sensitivity)) {
    run.log.line(line);
  }
  if (wanted.sensitivity_file) {
    report::write_sensitivity(*wanted.sensitivity_file, *run.result.sensitivity);
  }
  if (wanted.wants_pareto()) measure_pareto(run, imported, images, candidates, meter);
  if (!search.budget.any()) return;
  const BitAssignment bits =
      workflow::search_bits(candidates, *run.result.sensitivity, meter, search, context);
  for (const std::string& line : workflow::assignment_lines(bits)) run.log.line(line);
  if (wanted.layer_bits_file) report::write_layer_bits(*wanted.layer_bits_file, bits);
  quantize.layer_bits = bits.layer_bits;
  run.result.bits = bits;
}

}  // namespace ptq::cli
