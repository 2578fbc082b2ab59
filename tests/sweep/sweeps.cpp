#include "sweep/sweeps.h"

#include "ptq/base/error.h"

namespace ptq::sweep {

cli::RunResult PretendedWorld::run(const options::Settings& settings) {
  const int64_t bits = settings.integer("weight-bit-width");
  const int64_t skip = settings.integer("validation-skip");
  const int64_t count = settings.is_none("validation-samples")
                            ? images - skip
                            : settings.integer("validation-samples");
  ran.push_back(bits);
  counts.push_back(count);
  skipped.push_back(skip);
  now += static_cast<double>(count) / 100;
  if (bits == 5) throw QuantizationError("five bits are not pretended");
  cli::RunResult result;
  result.quantized.network_seconds = static_cast<double>(count) / 100;
  result.quantized.accuracy = {count, count * bits / 100, count};
  result.float_evaluation = result.quantized;
  result.comparison = report::Comparison{{count, count, 0, 0}, {0, -0.01, 0.01}};
  return result;
}

}  // namespace ptq::sweep
