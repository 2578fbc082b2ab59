#include "cli/stages/pareto_stage.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/stages/evaluation_stage.h"
#include "options/option.h"
#include "report/bits_tables.h"
#include "workflow/bits/search.h"
#include "workflow/quantization.h"

namespace ptq::cli {
namespace {

using report::ParetoRow;

/// A row, and the answers behind it.
struct Point {
  ParetoRow row;
  eval::Evaluation evaluation;
};

class Pareto {
 public:
  Pareto(Run& run, const ir::Graph& imported, ImageSets& images,
         const workflow::BitCandidates& candidates, const workflow::LossMeter& meter)
      : run_(run),
        imported_(imported),
        images_(images),
        candidates_(candidates),
        meter_(meter),
        session_(workflow::Session::Runs::kMany) {}

  std::vector<ParetoRow> rows() {
    for (const int bits : uniform_widths()) points_.push_back(uniform(bits));
    const size_t uniform_points = points_.size();
    for (const double budget : budgets()) points_.push_back(searched(budget));
    for (size_t i = uniform_points; i < points_.size(); ++i) compare_with_uniform(points_[i]);
    std::vector<ParetoRow> rows;
    for (Point& point : points_) rows.push_back(std::move(point.row));
    std::stable_sort(rows.begin(), rows.end(), [](const ParetoRow& a, const ParetoRow& b) {
      return a.mean_weight_bits < b.mean_weight_bits;
    });
    return rows;
  }

 private:
  /// Widths that every weight can have.
  std::vector<int> uniform_widths() const {
    std::vector<int> widths;
    for (const auto& [bits, table] : candidates_.weights) widths.push_back(bits);
    return widths;
  }

  /// Those given, or so many evenly from the narrowest candidate to the widest.
  std::vector<double> budgets() const {
    const options::BitsConfig& wanted = run_.config.bits;
    if (!wanted.pareto_budgets.empty()) return wanted.pareto_budgets;
    const double low = candidates_.weights.begin()->first;
    const double high = candidates_.weights.rbegin()->first;
    std::vector<double> budgets;
    for (int64_t i = 0; i < wanted.pareto_points; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(wanted.pareto_points - 1);
      budgets.push_back(low + (high - low) * share);
    }
    return budgets;
  }

  Point uniform(int bits) {
    const std::string name = "W" + std::to_string(bits);
    Point point = evaluated(name, {{".", bits, {}}});
    point.row.mean_weight_bits = bits;
    return point;
  }

  Point searched(double budget) {
    BitSearchOptions options = run_.config.bits.search;
    options.budget = {budget, {}, {}};
    workflow::Context context{run_.config.execution, run_.log, run_.session};
    const BitAssignment bits =
        workflow::search_bits(candidates_, *run_.result.sensitivity, meter_, options, context);
    for (const std::string& line : workflow::assignment_lines(bits)) run_.log.line(line);
    Point point = evaluated("budget " + options::to_text(budget), bits.layer_bits);
    point.row.budget = budget;
    point.row.mean_weight_bits = bits.costs.mean_weight_bits;
    point.row.divergence = bits.divergence;
    point.row.layer_bits = bits.layer_bits;
    return point;
  }

  Point evaluated(const std::string& name, std::vector<LayerOverride> bits) {
    QuantizeConfig config = run_.config.quantize;
    config.layer_bits = std::move(bits);
    ProgressOnly progress(run_.log);
    RecordingLog log(progress);
    workflow::Context context{run_.config.execution, log, session_, {"the network", "the images"}};
    context.network_name = run_.config.model_file;
    const auto made = timed(run_.log, "quantizing for " + name, [&] {
      return workflow::quantize(imported_, config, images_.calibration(), context);
    });
    Point point;
    point.evaluation =
        evaluate(run_, {"evaluation for " + name, runtime::Numerics::kQuantized, false},
                 made.network, images_);
    point.row.name = name;
    point.row.accuracy = point.evaluation.accuracy;
    if (run_.result.float_evaluation) {
      point.row.against_float = difference(*run_.result.float_evaluation, point.evaluation);
    }
    return point;
  }

  static eval::Interval difference(const eval::Evaluation& from, const eval::Evaluation& to) {
    return eval::paired_difference(eval::compare(from.answers(), to.answers()));
  }

  /// With the widest uniform width that needs no more bits.
  void compare_with_uniform(Point& point) const {
    const Point* widest = nullptr;
    for (const Point& other : points_) {
      const bool is_within = !other.row.budget && other.row.mean_weight_bits <= *point.row.budget;
      if (is_within) widest = &other;
    }
    if (widest == nullptr) return;
    point.row.uniform = widest->row.name;
    point.row.against_uniform = difference(widest->evaluation, point.evaluation);
  }

  Run& run_;
  const ir::Graph& imported_;
  ImageSets& images_;
  const workflow::BitCandidates& candidates_;
  const workflow::LossMeter& meter_;
  workflow::Session session_;
  std::vector<Point> points_;
};

}  // namespace

void measure_pareto(Run& run, const ir::Graph& imported, ImageSets& images,
                    const workflow::BitCandidates& candidates, const workflow::LossMeter& meter) {
  run.result.pareto = Pareto(run, imported, images, candidates, meter).rows();
  for (const std::string& line : report::pareto_lines(run.result.pareto)) run.log.line(line);
  if (run.config.bits.pareto_file) {
    report::write_pareto(*run.config.bits.pareto_file, run.result.pareto);
  }
}

}  // namespace ptq::cli
