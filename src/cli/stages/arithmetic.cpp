#include "cli/stages/arithmetic.h"

#include <algorithm>
#include <string>
#include <vector>

#include "report/result_lines.h"
#include "runtime/integer_layers.h"

namespace ptq::cli {

void say_arithmetic(Run& run, const QuantizedNetwork& network) {
  if (run.config.execution.arithmetic != runtime::Arithmetic::kInteger) return;
  std::vector<runtime::LayerArithmetic>& layers = run.result.layers;
  layers = runtime::layer_arithmetic(network);
  const auto integers = std::count_if(layers.begin(), layers.end(),
                                      [](const auto& layer) { return layer.on_integers; });
  run.log.line("arithmetic: " + std::to_string(integers) + " of " + std::to_string(layers.size()) +
               " layers on integers");
  if (!run.config.explain) return;
  for (const std::string& line : report::arithmetic_lines(layers)) run.log.line(line);
}

}  // namespace ptq::cli
