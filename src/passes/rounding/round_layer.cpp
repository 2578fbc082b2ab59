#include "passes/rounding/round_layer.h"

#include <ATen/Parallel.h>

#include <optional>
#include <string>

#include "base/ordered_sum.h"
#include "passes/rounding/column_rounding.h"
#include "passes/rounding/weight_rows.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"
#include "runtime/gemm.h"

namespace ptq::passes {
namespace {

/// Sum over groups of tr(a m bᵀ); `a` and `b` [groups, out, K] float32, `m` [groups, K, K] float64.
double trace(const at::Tensor& a, const at::Tensor& m, const at::Tensor& b) {
  // Where a group has one output, a product for each would take longer than all of them together.
  if (a.size(1) == 1) return sum_of_products(a.transpose(1, 2).mul(b), m);
  double sum = 0;
  for (int64_t group = 0; group < a.size(0); ++group) {
    sum += sum_of_products(runtime::product(a.select(0, group), m.select(0, group).to(at::kFloat)),
                           b.select(0, group));
  }
  return sum;
}

/// InputMoments as a technique takes them.
struct Sums {
  at::Tensor hessian, cross;
  double energy = 0;
  int64_t columns = 0;

  Sums(InputMoments& moments, bool has_cross)
      : hessian(moments.hessian()), energy(moments.energy()), columns(moments.columns()) {
    if (has_cross) cross = moments.cross();
  }

  /// Of the images that `part` does not count.
  Sums without(const Sums& part) const {
    Sums rest = *this;
    rest.hessian = hessian.sub(part.hessian);
    if (cross.defined()) rest.cross = cross.sub(part.cross);
    rest.energy -= part.energy;
    rest.columns -= part.columns;
    return rest;
  }

  bool is_finite() const {
    return hessian.isfinite().all().item<bool>() &&
           (!cross.defined() || cross.isfinite().all().item<bool>());
  }
};

class LayerRounding {
 public:
  LayerRounding(const LayerProblem& problem, InputMoments& moments, InputMoments* held_out)
      : problem_(problem),
        options_(problem.options),
        layer_(*ir::weighted(problem.layer.op)),
        moments_(moments, is_mismatched()),
        quantizer_(problem.layer.op, problem.table),
        before_(rows_of(layer_.weight.value)),
        original_(rows_of(problem.original)) {
    if (held_out != nullptr) held_out_.emplace(*held_out, is_mismatched());
    if (!moments_.is_finite()) {
      throw QuantizationError(problem.layer.name +
                              ": its inputs are not finite on the calibration images");
    }
  }

  RoundedLayer run() {
    const at::Tensor nearest = rounded(layer_.weight.value);
    RoundedLayer report{problem_.layer.name, error_of(nearest, moments_), 0};
    if (held_out_ && does_harm(nearest)) {
      return left_at(nearest, "worse than the nearest codes on images kept aside", report);
    }
    bool is_solved = true;
    const at::Tensor after = solved(moments_, is_solved);
    report.error_after = error_of(rounded(after), moments_);
    const bool may_keep = options_.technique == RoundingTechnique::kGptq && !options_.accumulator;
    if (!is_solved) report.left = "its inputs depend on each other: more images may help";
    if (may_keep && report.error_after > report.error_before) {
      return left_at(nearest, "no codes better than the nearest were found", report);
    }
    layer_.weight.value = after;
    return report;
  }

 private:
  bool is_mismatched() const { return options_.technique != RoundingTechnique::kGptq; }

  RoundedLayer left_at(const at::Tensor& nearest, const std::string& why, RoundedLayer report) {
    report.left = why;
    report.error_after = report.error_before;
    layer_.weight.value = nearest;
    return report;
  }

  /// Whether codes found without the images kept aside are worse on these than the nearest.
  bool does_harm(const at::Tensor& nearest) {
    bool is_solved = true;
    const at::Tensor codes = rounded(solved(moments_.without(*held_out_), is_solved));
    return error_of(codes, *held_out_) > error_of(nearest, *held_out_);
  }

  /// The weight that the technique finds; `is_solved` becomes false if a group has no solution.
  at::Tensor solved(const Sums& sums, bool& is_solved) {
    at::Tensor rows = before_.transpose(1, 2).clone(at::MemoryFormat::Contiguous);
    is_solved = round_groups(rows, sums);
    return weight_of_rows(problem_.layer.op, rows.transpose(1, 2).contiguous());
  }

  at::Tensor rows_of(const at::Tensor& weight) const {
    return weight_rows(problem_.layer.op, weight);
  }

  at::Tensor rounded(const at::Tensor& weight) const {
    return quant::fake_quantize_weight(weight, problem_.table, layer_.weight_quantizer);
  }

  /// Of a weight of codes.
  double error_of(const at::Tensor& weight, const Sums& sums) const {
    const at::Tensor codes = rows_of(weight);
    if (!is_mismatched()) {
      const at::Tensor difference = codes.sub(before_);
      const double energy = trace(before_, sums.hessian, before_);
      return energy > 0 ? trace(difference, sums.hessian, difference) / energy : 0;
    }
    if (!(sums.energy > 0)) return 0;
    const double error =
        sums.energy - 2 * trace(codes, sums.cross, original_) + trace(codes, sums.hessian, codes);
    return std::max(0.0, error / sums.energy);
  }

  /// `weight` [groups, K, out]. False if a group has no solution.
  bool round_groups(at::Tensor& weight, const Sums& sums) {
    // GPTQ's Hessian is that of a mean: an input that is always zero counts as 1 in it.
    const at::Tensor hessian =
        is_mismatched() ? sums.hessian : sums.hessian.mul(2 / static_cast<double>(sums.columns));
    const int64_t groups = weight.size(0);
    std::vector<char> solved(static_cast<size_t>(groups), 0);
    const auto round = [&](int64_t begin, int64_t end) {
      for (int64_t group = begin; group < end; ++group) {
        solved[static_cast<size_t>(group)] =
            round_group(group, weight.select(0, group), hessian, sums.cross) ? 1 : 0;
      }
    };
    if (groups > 1) {
      at::parallel_for(0, groups, 1, round);
    } else {
      round(0, groups);
    }
    return std::find(solved.begin(), solved.end(), 0) == solved.end();
  }

  bool round_group(int64_t group, const at::Tensor& weight, const at::Tensor& hessian,
                   const at::Tensor& cross) {
    ColumnProblem columns;
    columns.weight = weight;
    columns.hessian = hessian.select(0, group);
    columns.quantizer = &quantizer_;
    columns.group = group;
    columns.act_order = options_.act_order;
    columns.damping = options_.qronos_damping;
    std::optional<AccumulatorBound> bound = bound_of(group);
    columns.bound = bound ? &*bound : nullptr;
    if (!is_mismatched()) return round_by_gptq(columns);
    columns.original = original_.select(0, group).t().contiguous();
    columns.cross = cross.select(0, group);
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
  const Sums moments_;
  std::optional<Sums> held_out_;
  ColumnQuantizer quantizer_;
  /// The weight before, and the one aimed at, by rows.
  at::Tensor before_, original_;
};

}  // namespace

RoundedLayer round_layer(const LayerProblem& problem, InputMoments& moments,
                         InputMoments* held_out) {
  return LayerRounding(problem, moments, held_out).run();
}

}  // namespace ptq::passes
