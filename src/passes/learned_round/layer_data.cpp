#include "passes/learned_round/layer_data.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <utility>

#include "passes/rounding/input_moments.h"
#include "passes/rounding/unfold.h"
#include "passes/rounding/weight_rows.h"

namespace ptq::passes {
namespace {

/// What the layer multiplies with its weight, [columns, K], of one batch.
at::Tensor columns_of(const ir::Op& op, const at::Tensor& input, int64_t depth) {
  if (std::holds_alternative<ir::Linear>(op)) return input.reshape({-1, depth});
  const Unfold unfold(op, input.sizes());
  at::Tensor columns = at::empty({unfold.rows(), unfold.columns()});
  unfold.fill(input.contiguous(), 0, unfold.lines(), columns);
  return columns.t();
}

at::Tensor all_columns(const runtime::SweepStop& stop, int stream, int64_t depth) {
  std::vector<at::Tensor> parts;
  for (int64_t batch = 0; batch < stop.batches(); ++batch) {
    parts.push_back(columns_of(stop.unit().nodes.front()->op, stop.input(stream, batch), depth));
  }
  return at::cat(parts).contiguous();
}

}  // namespace

std::unique_ptr<LayerObjective> layer_objective(const runtime::SweepStop& stop, MeanError mean) {
  const ir::Op& op = stop.unit().nodes.front()->op;
  const at::Tensor rows = weight_rows(op, ir::weighted(op)->weight.value);
  const int64_t depth = rows.size(2);
  InputMoments moments(op, {true, 1, rows, true});
  const int64_t of_first = moments.columns_of(stop.input(kQuantizedStream, 0));
  int64_t images = 0;
  for (int64_t batch = 0; batch < stop.batches(); ++batch) images += stop.images(batch);
  const int64_t columns = of_first / stop.images(0) * images;
  if (rows.size(0) == 1 && 2 * columns < depth) {
    return std::make_unique<ColumnsObjective>(rows, all_columns(stop, kQuantizedStream, depth),
                                              all_columns(stop, kOriginalStream, depth), mean);
  }
  const double share = 1 / static_cast<double>(columns);
  for (int64_t batch = 0; batch < stop.batches(); ++batch) {
    moments.add(stop.input(kQuantizedStream, batch), stop.input(kOriginalStream, batch), share);
  }
  const LayerMoments all{moments.hessian().to(at::kFloat),
                         moments.cross().to(at::kFloat),
                         moments.energy(),
                         {moments.input_sums(), moments.float_sums()}};
  return std::make_unique<MomentsObjective>(
      rows, mean == MeanError::kLeftToBias ? centred(all, all.means, rows) : all);
}

}  // namespace ptq::passes
