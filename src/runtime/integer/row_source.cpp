#include "runtime/integer/row_source.h"

#include <algorithm>

#include "base/vector_loop.h"
#include "runtime/integer/window_lines.h"

namespace ptq::runtime::integer {
namespace {

void widen(const uint8_t* from, int64_t from_bytes, int64_t rows, int64_t terms, int16_t* to,
           int64_t to_terms) {
  static constexpr VectorLoop copy = [](const uint8_t* bytes, int64_t row_bytes, int64_t count,
                                        int64_t size, int16_t* wide, int64_t wide_size) {
    for (int64_t row = 0; row < count; ++row, bytes += row_bytes, wide += wide_size) {
      for (int64_t i = 0; i < size; ++i) wide[i] = bytes[i];
    }
  };
  copy(from, from_bytes, rows, terms, to, to_terms);
}

/// Rows in one piece: channels of a pixel, or gathered windows. Where they already lie as the
/// kernel reads them they stay there.
class WholeRows : public RowSource {
 public:
  WholeRows(const Windows& windows, const PanelShape& shape) : windows_(windows) {
    const int64_t element = shape.kernel().element_bytes;
    pointwise_ = windows.is_pointwise(), wide_ = element == 2;
    in_place_ = pointwise_ && !wide_;
    read_terms_ = shape.read_terms();
    row_bytes_ = in_place_ ? windows.channels : (read_terms_ + kGatherSlack) / 16 * 16 * element;
    window_bytes_ = (read_terms_ + 2 * kGatherSlack + 63) / 64 * 64;
    most_ = block_rows(shape.bytes());
  }

  int64_t blocks() const override { return divided(windows_.rows(), most_); }
  int64_t most_rows() const override { return most_; }
  int64_t scratch_bytes() const override { return rows_bytes() + window_bytes_; }

  Block prepare(int64_t block, const uint8_t* in, int64_t group, uint8_t zero,
                uint8_t* scratch) const override {
    const int64_t first = block * most_, count = std::min(most_, windows_.rows() - first);
    PreparedRows rows{scratch, row_bytes_, count};
    const uint8_t* pixels = in + first * windows_.channels + group * windows_.group_channels();
    if (in_place_) {
      rows.data = pixels;
    } else if (pointwise_) {
      widen(pixels, windows_.channels, count, read_terms_, wide(scratch, 0), row_bytes_ / 2);
    } else if (!wide_) {
      gather(windows_, in, group, first, count, zero, scratch, row_bytes_);
    } else {
      uint8_t* const window = scratch + rows_bytes();
      for (int64_t row = 0; row < count; ++row) {
        gather(windows_, in, group, first + row, 1, zero, window, window_bytes_);
        widen(window, window_bytes_, 1, read_terms_, wide(scratch, row), 0);
      }
    }
    return {rows, first};
  }

 private:
  int64_t rows_bytes() const { return in_place_ ? 0 : most_ * row_bytes_ + 64; }
  int16_t* wide(uint8_t* scratch, int64_t row) const {
    return reinterpret_cast<int16_t*>(scratch + row * row_bytes_);
  }

  /// As few blocks as fit, and none much smaller than the others.
  int64_t block_rows(int64_t weight_bytes) const {
    const int64_t rows = windows_.rows();
    const int64_t blocks =
        divided(rows, std::max(kLeastRows, block_bytes(weight_bytes) / row_bytes_));
    return std::min(divided(divided(rows, blocks), kLeastRows) * kLeastRows, rows);
  }

  Windows windows_;
  bool pointwise_, wide_, in_place_;
  int64_t read_terms_, row_bytes_, window_bytes_, most_;
};

}  // namespace

int64_t block_bytes(int64_t weight_bytes) {
  constexpr int64_t kSmallWeights = 256 * 1024, kBesideSmallWeights = 32 * 1024,
                    kBesideLargeWeights = 512 * 1024;
  return weight_bytes <= kSmallWeights ? kBesideSmallWeights : kBesideLargeWeights;
}

int64_t pieces_of(const Windows& windows) {
  return WindowLines::serves(windows) ? windows.kernel_height : 1;
}

std::unique_ptr<RowSource> row_source(const Windows& windows, const PanelShape& shape) {
  if (WindowLines::serves(windows)) return std::make_unique<WindowLines>(windows, shape);
  return std::make_unique<WholeRows>(windows, shape);
}

}  // namespace ptq::runtime::integer
