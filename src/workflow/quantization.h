#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "passes/correct_biases.h"
#include "passes/pipeline.h"
#include "ptq/base/log.h"
#include "ptq/data/image_set.h"
#include "ptq/quant/quantized_network.h"
#include "ptq/quantize_config.h"
#include "ptq/runtime/execution.h"
#include "workflow/function.h"
#include "workflow/session.h"

/// Quantizing, with all there is to say of it: what ptq::quantize does, and the program too.
namespace ptq::workflow {

/// A rounding technique, and what it did to each layer.
struct RoundingReport {
  /// "gptq", "gpfq", "qronos".
  std::string technique;
  std::vector<passes::RoundedLayer> layers;
};

/// What techniques did; none of those that did not run.
struct TechniqueReports {
  std::vector<passes::PassReport> passes;
  /// Empty where no step could change anything, or there are no images.
  std::vector<FunctionRow> function;
  /// None for networks without ReLU6.
  std::optional<Relu6Choice> relu6;
  std::optional<passes::EqualizationReport> equalization;
  std::optional<passes::SplittingReport> splitting;
  std::optional<passes::ActivationEqualizationReport> activation_equalization;
  std::vector<RoundingReport> rounding;
  std::vector<passes::RoundedUnit> learned_round;
  std::optional<passes::BiasCorrection> bias_correction;
};

struct Quantization {
  QuantizedNetwork network;
  /// The graph as placement left it.
  ir::Graph placed;
  /// Images the calibration saw.
  int64_t calibration_count = 0;
  TechniqueReports techniques;
};

enum class Explain { kNo, kYes };
/// kCalibrated: before techniques that change weights.
enum class Until { kCalibrated, kFinished };

/// Around a quantization.
struct Context {
  runtime::Execution execution;
  RecordingLog& log;
  Session& session;
  Source source = {};
  /// The same by contents, for what is kept between processes.
  Source contents = {};
  /// What errors call the network.
  std::string network_name = "the network";
  /// Say what techniques changed and left out, and why.
  Explain explain = Explain::kNo;
  Until until = Until::kFinished;
  /// Called behind "calibration" (or "placement", without one) and behind each technique.
  std::function<void(const std::string& stage, const QuantizedNetwork& network)> after_stage = {};
};

/// From an imported float graph to a calibrated quantized network, in the reference's order
/// (reference-contract 1.1): preparation, equalization of activations, placement, weight scales,
/// calibration, rounding, batch norms, biases. Each is a stage of the log. `images` may be none
/// where nothing needs them. Throws InvalidOption, DataError, QuantizationError.
Quantization quantize(const ir::Graph& imported, const QuantizeConfig& config,
                      const std::optional<data::ImageSet>& images, const Context& context);

/// What becomes of the network's ReLU6: what the configuration says, or what images show. None for
/// networks without. A stage of the log where it has to run the network.
std::optional<Relu6Choice> choose_relu6(const ir::Graph& imported, const QuantizeConfig& config,
                                        const std::optional<data::ImageSet>& images,
                                        const Context& context);

/// A technique that comes before placement, and the configuration without it.
struct EarlyTechnique {
  const char* name;
  bool is_on;
  void (*turn_off)(QuantizeConfig& config);
};
/// Those that are on, in their order.
std::vector<EarlyTechnique> early_techniques(const QuantizeConfig& config);

/// A graph with the quantizers that `config` puts there, scales unknown, quickly: techniques that
/// change no operation are left out. For asking what an export can express.
QuantizedNetwork placed_network(const ir::Graph& imported, const QuantizeConfig& config);

/// Where quantizers go, and how they are made, as the backends take it.
backends::PlacementOptions placement_options(const QuantizeConfig& config);

/// The configuration's key up to a stage: equal for quantizations that may share it, given equal
/// sources. Each is a hash of the parts of the configuration that the stage and those before it
/// depend on.
std::string prepared_key(const Source& source, const QuantizeConfig& config);
std::string equalized_key(const Source& source, const QuantizeConfig& config);
std::string calibrated_key(const Source& source, const QuantizeConfig& config);
/// Of GPTQ on activations in float: `network` has the weights that it rounds, and their scales.
std::string rounded_key(const Source& source, const QuantizeConfig& config, const Gptq& gptq,
                        const QuantizedNetwork& network);

}  // namespace ptq::workflow
