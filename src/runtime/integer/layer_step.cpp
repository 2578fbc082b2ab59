#include "runtime/integer/layer_step.h"

#include <algorithm>

#include "runtime/integer/depthwise.h"
#include "runtime/integer/epilogue.h"
#include "runtime/integer/layer_columns.h"
#include "runtime/integer/layer_geometry.h"

namespace ptq::runtime::integer {
namespace {

/// Bytes of prepared rows that are multiplied with all columns before the next ones. Every block
/// reads all weights anew: where these stay in the second cache, a block is to stay in the first;
/// else it is to fill the second, so that weights come from beyond it seldom.
constexpr int64_t kSmallWeights = 256 * 1024, kBesideSmallWeights = 32 * 1024,
                  kBesideLargeWeights = 512 * 1024;

/// Rows of a block: as few blocks as fit, and none much smaller than the others.
int64_t block_rows(int64_t rows, int64_t row_bytes, int64_t weight_bytes) {
  // A multiple of every number of rows in a tile.
  constexpr int64_t kRows = 48;
  const int64_t bytes = weight_bytes <= kSmallWeights ? kBesideSmallWeights : kBesideLargeWeights;
  const auto divided = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
  const int64_t blocks = divided(rows, std::max(kRows, bytes / row_bytes));
  return std::min(divided(divided(rows, blocks), kRows) * kRows, rows);
}

/// A layer as products of windows with packed weights.
class LayerStep : public Step {
 public:
  LayerStep(std::shared_ptr<const LayerColumns> columns, const Windows& windows, uint8_t zero,
            Tail tail)
      : columns_(std::move(columns)), windows_(windows), zero_(zero), tail_(std::move(tail)) {
    const PanelShape& shape = columns_->shape;
    pointwise_ = windows.is_pointwise();
    const bool as_they_lie = pointwise_ && shape.kernel().element_bytes == 1;
    prepares_ = !as_they_lie;
    row_bytes_ = as_they_lie
                     ? windows.channels
                     : (shape.row_terms() + kGatherSlack) / 16 * 16 * shape.kernel().element_bytes;
    block_ = block_rows(windows.rows(), row_bytes_, shape.bytes());
    rows_bytes_ = prepares_ ? block_ * row_bytes_ + 64 : 0;
    window_bytes_ = (shape.row_terms() + 2 * kGatherSlack + 63) / 64 * 64;
  }

  int64_t scratch_bytes() const override {
    return rows_bytes_ + window_bytes_ + block_ * static_cast<int64_t>(sizeof(int32_t)) + 64;
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
    const int64_t rows = windows_.rows();
    const int64_t per_group = columns_->shape.columns();
    for (int64_t first = 0; first < rows; first += block_) {
      const int64_t count = std::min(block_, rows - first);
      for (int64_t group = 0; group < windows_.groups; ++group) {
        multiply(prepare(in, group, first, count, scratch), columns_->shape, columns_->group(group),
                 epilogue, columns_->columns(), first, group * per_group);
      }
    }
  }

  PreparedRows prepare(const uint8_t* in, int64_t group, int64_t first, int64_t count,
                       uint8_t* scratch) const {
    PreparedRows rows{scratch, row_bytes_, count, nullptr};
    if (!prepares_) {
      rows.data = window_of(in, group, first, nullptr);
    } else if (columns_->shape.kernel().element_bytes == 1) {
      gather(windows_, in, group, first, count, zero_, scratch, row_bytes_);
    } else {
      widen_windows(in, group, first, count, scratch);
    }
    if (!columns_->weight_zero.empty()) rows.sums = row_sums(in, group, first, rows, scratch);
    return rows;
  }

  /// The bytes that a row multiplies: where they lie, or gathered in `window`.
  const uint8_t* window_of(const uint8_t* in, int64_t group, int64_t row, uint8_t* window) const {
    if (pointwise_) return in + row * windows_.channels + group * windows_.group_channels();
    gather(windows_, in, group, row, 1, zero_, window, window_bytes_);
    return window;
  }

  void widen_windows(const uint8_t* in, int64_t group, int64_t first, int64_t count,
                     uint8_t* scratch) const {
    for (int64_t row = 0; row < count; ++row) {
      widen(window_of(in, group, first + row, scratch + rows_bytes_), columns_->shape.row_terms(),
            reinterpret_cast<int16_t*>(scratch + row * row_bytes_));
    }
  }

  const int32_t* row_sums(const uint8_t* in, int64_t group, int64_t first, const PreparedRows& rows,
                          uint8_t* scratch) const {
    uint8_t* const window = scratch + rows_bytes_;
    auto* const sums = reinterpret_cast<int32_t*>(window + window_bytes_);
    const bool bytes = columns_->shape.kernel().element_bytes == 1;
    for (int64_t row = 0; row < rows.count; ++row) {
      const auto* prepared = static_cast<const uint8_t*>(rows.data) + row * row_bytes_;
      sums[row] =
          sum_of(bytes ? prepared : window_of(in, group, first + row, window), windows_.terms());
    }
    return sums;
  }

  std::shared_ptr<const LayerColumns> columns_;
  Windows windows_;
  uint8_t zero_;
  Tail tail_;
  bool pointwise_, prepares_;
  int64_t row_bytes_, block_, rows_bytes_, window_bytes_;
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
      layer_columns(layer, merged.rows, merged.windows.groups, input), merged.windows,
      static_cast<uint8_t>(input.zero()), std::move(tail));
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
