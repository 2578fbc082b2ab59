#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ptq/data/image_set.h"
#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"
#include "ptq/quantize_config.h"
#include "ptq/runtime/execution.h"

/// Where bits matter: what each quantizer costs at each width, and the widths that lose least
/// within a budget.
namespace ptq {

/// Widths to choose from; those a quantizer cannot have are passed over.
struct CandidateBits {
  std::vector<int> weights = {2, 3, 4, 6, 8};
  std::vector<int> activations = {4, 6, 8};
};

struct SensitivityOptions {
  CandidateBits candidates;
  /// Calibration images it is measured on, the first ones drawn; none: so many that all runs
  /// together cost about as much as twenty float evaluations of all calibration images.
  std::optional<int64_t> images;
};

/// One group of quantizers that must agree (operands of adds and concats, layers of one kernel) at
/// one width, all others off.
struct SensitivityRow {
  /// kWeight or kActivation.
  quant::QuantizerKind kind = quant::QuantizerKind::kWeight;
  std::string group;
  /// Whose weights they are, or which read the activation; may be none.
  std::vector<std::string> layers;
  int bits = 0;
  /// Kullback-Leibler divergence of the softmax from the float network's, mean over images, in
  /// nats, measured; and the second-order estimate of it.
  double divergence = 0;
  double estimate = 0;
  /// Mean over images of the logits' SQNR, in dB.
  double sqnr = 0;
};

struct Sensitivity {
  /// By group in execution order, weights before activations; widths ascending.
  std::vector<SensitivityRow> rows;
  int64_t images = 0, calibration_images = 0;
  /// Of the measurement, of the estimate, and of one float evaluation of all calibration images (as
  /// measured on `images` of them).
  double exact_seconds = 0, estimate_seconds = 0, evaluation_seconds = 0;
};

/// Spearman's rank correlation of estimate and divergence over the rows of one kind, all widths or
/// one of them; none for fewer than three rows.
std::optional<double> rank_correlation(const Sensitivity& sensitivity, quant::QuantizerKind kind,
                                       std::optional<int> bits = {});

/// What each group of quantizers costs at each width. Weights as preparation leaves them, rounded
/// to the nearest codes; `config` says where quantizers stand and how scales are found, and its bit
/// widths and `layer_bits` say nothing here. Throws InvalidOption for networks without integer
/// quantizers or defined by hand and for scales from a file, and what quantize throws.
Sensitivity measure_sensitivity(const ir::Graph& graph, const QuantizeConfig& config,
                                const data::ImageSet& images,
                                const SensitivityOptions& options = {},
                                const runtime::Execution& execution = {});

/// Limits on a quantized network; none where nothing is said.
struct BitBudget {
  /// Over all quantized weights.
  std::optional<double> mean_weight_bits;
  /// Everything that the network holds: codes in their own bits, scales, biases, what stays float.
  std::optional<int64_t> bytes;
  /// Sum over layers with quantized weights of products * weight bits * input bits, as a share of
  /// what 8 and 8 bits give; an input that is not quantized has 32.
  std::optional<double> bit_operations;

  bool any() const { return mean_weight_bits || bytes || bit_operations; }
};

struct BitCosts {
  double mean_weight_bits = 0;
  /// None without a budget of bytes.
  std::optional<int64_t> bytes;
  double bit_operations = 0;
};

struct BitSearchOptions {
  SensitivityOptions sensitivity;
  BitBudget budget;
  /// How often sensitivities are measured again on the widths reached.
  int rounds = 2;
};

/// The bits of all layers that have a choice.
struct BitAssignment {
  /// For QuantizeConfig::layer_bits.
  std::vector<LayerOverride> layer_bits;
  BitCosts costs;
  /// Measured with all quantizers on, on the images of the sensitivity: of the widths chosen, and
  /// of the widest uniform ones within the budget, where there are any.
  double divergence = 0;
  std::optional<double> uniform_divergence;
  std::optional<int> uniform_bits;
  /// Of each assignment on the way, from the first knapsack on.
  std::vector<double> steps;
};

/// The widths with the least divergence within the budgets: the best sum of sensitivities (exactly,
/// passes/bits/knapsack.h), then corrected for what quantizers do together by measuring the
/// neighbouring widths of every group on the widths reached, as long as that helps. Weights alone
/// are chosen unless there is a budget of bit operations. Throws InvalidOption for a budget that
/// the narrowest candidates exceed, and what measure_sensitivity throws.
BitAssignment search_bits(const ir::Graph& graph, const QuantizeConfig& config,
                          const data::ImageSet& images, const BitSearchOptions& options,
                          const runtime::Execution& execution = {});

}  // namespace ptq
