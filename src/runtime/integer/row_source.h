#pragma once

#include <cstdint>
#include <memory>

#include "runtime/integer/multiply.h"
#include "runtime/integer/window_rows.h"

/// Where the rows come from that a layer multiplies with its weights: block by block, so that what
/// a block reads stays in a cache.
namespace ptq::runtime::integer {

class RowSource {
 public:
  virtual ~RowSource() = default;

  virtual int64_t blocks() const = 0;
  /// Bytes that `prepare` may write.
  virtual int64_t scratch_bytes() const = 0;
  /// Rows of the largest block.
  virtual int64_t most_rows() const = 0;

  struct Block {
    PreparedRows rows;
    int64_t first_row;
  };
  /// The rows of a block in a group. What they cover beyond the input is `zero`.
  virtual Block prepare(int64_t block, const uint8_t* in, int64_t group, uint8_t zero,
                        uint8_t* scratch) const = 0;
};

/// Rows of a block, at least: a multiple of the rows of every kernel's full tiles.
inline constexpr int64_t kLeastRows = 48;

/// Bytes of prepared rows that are multiplied with all columns before the next ones. Every block
/// reads all weights anew: where these stay in the second cache, a block is to stay in the first;
/// else it is to fill the second, so that weights come from beyond it seldom.
int64_t block_bytes(int64_t weight_bytes);

/// a / b, upwards.
inline int64_t divided(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Pieces that the terms of a row lie in, of equal length.
int64_t pieces_of(const Windows& windows);

/// For panels of `shape`, which has that many pieces.
std::unique_ptr<RowSource> row_source(const Windows& windows, const PanelShape& shape);

}  // namespace ptq::runtime::integer
