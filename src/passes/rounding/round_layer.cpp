#include "passes/rounding/round_layer.h"

#include <ATen/Parallel.h>

#include "passes/rounding/column_rounding.h"
#include "passes/rounding/weight_rows.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"
#include "runtime/gemm.h"

namespace ptq::passes {
namespace {

/// a : b, the sum of the products of their elements.
double inner(const at::Tensor& a, const at::Tensor& b) {
  return a.mul(b).sum(at::kDouble).item<double>();
}

/// Sum over groups of tr(a m bᵀ); `a` and `b` [groups, out, K], `m` [groups, K, K].
double trace(const at::Tensor& a, const at::Tensor& m, const at::Tensor& b) {
  // Where a group has one output, a product for each would take longer than all of them together.
  if (a.size(1) == 1) return inner(a.transpose(1, 2).mul(b), m);
  double sum = 0;
  for (int64_t group = 0; group < a.size(0); ++group) {
    sum += inner(runtime::product(a.select(0, group), m.select(0, group)), b.select(0, group));
  }
  return sum;
}

class LayerRounding {
 public:
  LayerRounding(const LayerProblem& problem, InputMoments& moments)
      : problem_(problem),
        options_(problem.options),
        layer_(*ir::weighted(problem.layer.op)),
        moments_(moments),
        quantizer_(problem.layer.op, problem.table),
        before_(rows_of(layer_.weight.value)),
        original_(rows_of(problem.original)) {
    // GPTQ's Hessian is that of a mean: an input that is always zero counts as 1 in it.
    const double per_column = 2 / static_cast<double>(moments.columns());
    hessian_ = is_mismatched() ? moments.hessian() : moments.hessian().mul(per_column);
    if (is_mismatched()) cross_ = moments.cross();
    const bool is_finite = hessian_.isfinite().all().item<bool>() &&
                           (!is_mismatched() || cross_.isfinite().all().item<bool>());
    if (!is_finite) {
      throw QuantizationError(problem.layer.name +
                              ": its inputs are not finite on the calibration images");
    }
  }

  RoundedLayer run() {
    const at::Tensor nearest = rounded(layer_.weight.value);
    RoundedLayer report{problem_.layer.name, error_of(nearest), 0};
    at::Tensor rows = before_.transpose(1, 2).clone(at::MemoryFormat::Contiguous);
    const bool is_solved = round_groups(rows);
    const at::Tensor after = weight_of_rows(problem_.layer.op, rows.transpose(1, 2).contiguous());
    report.error_after = error_of(rounded(after));
    const bool may_keep = options_.technique == RoundingTechnique::kGptq && !options_.accumulator;
    if (!is_solved) report.left = "its inputs depend on each other: more images may help";
    if (may_keep && report.error_after > report.error_before) {
      report.left = "no codes better than the nearest were found";
      report.error_after = report.error_before;
      layer_.weight.value = nearest;
      return report;
    }
    layer_.weight.value = after;
    return report;
  }

 private:
  bool is_mismatched() const { return options_.technique != RoundingTechnique::kGptq; }

  at::Tensor rows_of(const at::Tensor& weight) const {
    return weight_rows(problem_.layer.op, weight);
  }

  at::Tensor rounded(const at::Tensor& weight) const {
    return quant::fake_quantize_weight(weight, problem_.table, layer_.weight_quantizer);
  }

  /// Of a weight of codes.
  double error_of(const at::Tensor& weight) const {
    const at::Tensor codes = rows_of(weight);
    if (!is_mismatched()) {
      const at::Tensor difference = codes.sub(before_);
      const double energy = trace(before_, hessian_, before_);
      return energy > 0 ? trace(difference, hessian_, difference) / energy : 0;
    }
    if (!(moments_.energy() > 0)) return 0;
    const double error =
        moments_.energy() - 2 * trace(codes, cross_, original_) + trace(codes, hessian_, codes);
    return std::max(0.0, error / moments_.energy());
  }

  /// `weight` [groups, K, out]. False if a group has no solution.
  bool round_groups(at::Tensor& weight) {
    const int64_t groups = weight.size(0);
    std::vector<char> solved(static_cast<size_t>(groups), 0);
    const auto round = [&](int64_t begin, int64_t end) {
      for (int64_t group = begin; group < end; ++group) {
        solved[static_cast<size_t>(group)] = round_group(group, weight.select(0, group)) ? 1 : 0;
      }
    };
    if (groups > 1) {
      at::parallel_for(0, groups, 1, round);
    } else {
      round(0, groups);
    }
    return std::find(solved.begin(), solved.end(), 0) == solved.end();
  }

  bool round_group(int64_t group, const at::Tensor& weight) {
    ColumnProblem columns;
    columns.weight = weight;
    columns.hessian = hessian_.select(0, group);
    columns.quantizer = &quantizer_;
    columns.group = group;
    columns.act_order = options_.act_order;
    columns.damping = options_.qronos_damping;
    std::optional<AccumulatorBound> bound = bound_of(group);
    columns.bound = bound ? &*bound : nullptr;
    if (!is_mismatched()) return round_by_gptq(columns);
    columns.original = original_.select(0, group).t().contiguous();
    columns.cross = cross_.select(0, group);
    if (options_.technique == RoundingTechnique::kQronos) return round_by_qronos(columns);
    round_by_gpfq(columns);
    return true;
  }

  std::optional<AccumulatorBound> bound_of(int64_t group) const {
    if (!options_.accumulator) return std::nullopt;
    const auto* codes = problem_.input_quantizer == ir::kNoQuantizer
                            ? nullptr
                            : problem_.table.at(problem_.input_quantizer).integer();
    if (codes == nullptr) {
      throw QuantizationError(problem_.layer.name +
                              ": its inputs are not integers, so no accumulator can be bounded");
    }
    // Always the full range of the codes.
    const quant::IntegerFormat range{codes->bit_width, codes->is_signed, false};
    const at::Tensor rows = before_.select(0, group);
    const Accumulator accumulator{options_.accumulator->bit_width,
                                  options_.accumulator->tile_size.value_or(rows.size(1)),
                                  range.quant_min(), range.quant_max()};
    return AccumulatorBound(accumulator, rows, quantizer_.scales(group, 0));
  }

  const LayerProblem& problem_;
  const RoundingOptions& options_;
  ir::Weighted& layer_;
  const InputMoments& moments_;
  at::Tensor hessian_, cross_;
  ColumnQuantizer quantizer_;
  /// The weight before, and the one aimed at, by rows.
  at::Tensor before_, original_;
};

}  // namespace

RoundedLayer round_layer(const LayerProblem& problem, InputMoments& moments) {
  return LayerRounding(problem, moments).run();
}

}  // namespace ptq::passes
