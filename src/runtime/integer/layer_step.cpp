#include "runtime/integer/layer_step.h"

#include "runtime/integer/depthwise.h"
#include "runtime/integer/epilogue.h"
#include "runtime/integer/layer_columns.h"
#include "runtime/integer/layer_geometry.h"
#include "runtime/integer/row_source.h"

namespace ptq::runtime::integer {
namespace {

/// A layer as products of rows with packed weights.
class LayerStep : public Step {
 public:
  LayerStep(std::shared_ptr<const LayerColumns> columns, const Windows& windows, uint8_t zero,
            Tail tail)
      : columns_(std::move(columns)),
        source_(row_source(windows, columns_->shape)),
        groups_(windows.groups),
        zero_(zero),
        tail_(std::move(tail)) {
    rows_bytes_ = (source_->scratch_bytes() + 63) / 64 * 64;
  }

  int64_t scratch_bytes() const override {
    const bool sums = !columns_->weight_zero.empty();
    return rows_bytes_ + (sums ? source_->most_rows() * static_cast<int64_t>(sizeof(int32_t)) : 0) +
           64;
  }

  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* scratch) const override {
    const int64_t out_channels = static_cast<int64_t>(columns_->scale.size());
    return [step = *this, in = inputs.at(0).data_ptr<uint8_t>(),
            epilogue = Epilogue(tail_, inputs, out, out_channels),
            scratch = static_cast<uint8_t*>(scratch)] { step.run(in, epilogue, scratch); };
  }

 private:
  void run(const uint8_t* in, const Epilogue& epilogue, uint8_t* scratch) const {
    const PanelShape& shape = columns_->shape;
    auto* const sums = reinterpret_cast<int32_t*>(scratch + rows_bytes_);
    for (int64_t block = 0; block < source_->blocks(); ++block) {
      for (int64_t group = 0; group < groups_; ++group) {
        auto [rows, first_row] = source_->prepare(block, in, group, zero_, scratch);
        if (!columns_->weight_zero.empty()) {
          sum_rows(rows, shape, sums);
          rows.sums = sums;
        }
        multiply(rows, shape, columns_->group(group), epilogue, columns_->columns(), first_row,
                 group * shape.columns());
      }
    }
  }

  std::shared_ptr<const LayerColumns> columns_;
  std::shared_ptr<const RowSource> source_;
  int64_t groups_;
  uint8_t zero_;
  Tail tail_;
  int64_t rows_bytes_;
};

std::unique_ptr<Step> step_for(const StepRequest& request, const Windows& windows, Tail tail) {
  const quant::IntegerLayer& layer = *request.integers;
  const quant::ByteFormat& input = *request.inputs[0].codes;
  const at::Tensor rows = rows_of(request.node.op, layer.weight);
  if (is_depthwise(windows, rows.size(0))) {
    return depthwise_step(layer, rows, windows, input, std::move(tail));
  }
  const MergedGroups merged =
      merge_groups(rows, windows, layer.weight_zero, product_kernel().column_step);
  return std::make_unique<LayerStep>(
      layer_columns(layer, merged.rows, merged.windows.groups, pieces_of(merged.windows), input),
      merged.windows, static_cast<uint8_t>(input.zero()), std::move(tail));
}

}  // namespace

BuiltStep with_epilogue(const StepRequest& request, const Layout& floats, int channel_dim,
                        const std::function<std::unique_ptr<Step>(Tail)>& make) {
  const auto carried = static_cast<std::ptrdiff_t>(
      Epilogue::carried(request.tail, floats, request.inputs, channel_dim));
  const Tail own(request.tail.begin(), request.tail.begin() + carried);
  const Tail rest(request.tail.begin() + carried, request.tail.end());
  const Layout made = after_tail(own, floats);
  if (rest.empty()) return {make(own), made};
  return tailed(make(own), rest, made);
}

BuiltStep build_layer(const StepRequest& request) {
  const Windows windows = windows_of(request.node.op, request.inputs[0], request.sizes);
  const Layout out = output_of(request.node.op, request.inputs[0], request.sizes);
  const bool linear = request.node.is<ir::Linear>();
  const int channel_dim = linear ? static_cast<int>(request.sizes.size()) - 1 : 1;
  return with_epilogue(request, out, channel_dim, [&](Tail carried) {
    return step_for(request, windows, std::move(carried));
  });
}

}  // namespace ptq::runtime::integer
