#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "quant/integer_arithmetic.h"
#include "runtime/steps/tail.h"

/// From accumulators to what leaves a layer (quant/integer_arithmetic.h), while they are in the
/// first cache.
namespace ptq::runtime::integer {

/// What turns sums into values, one entry a column. `weight_zero` and `bias` may be null.
struct Columns {
  /// What is added to a sum: zero points and an integer bias.
  const int32_t* constant = nullptr;
  /// Times the sum of its row, subtracted from a sum.
  const int32_t* weight_zero = nullptr;
  const float* scale = nullptr;
  const float* bias = nullptr;
};

/// A tile of sums, row after row, and where it belongs in the output.
struct SumTile {
  const int32_t* sums;
  int64_t sums_stride;
  /// Null where no column has a `weight_zero`.
  const int32_t* row_sums;
  int64_t rows, columns;
  int64_t first_row, first_column;
};

/// Part of a tail that an epilogue can carry, bound to memory. The output is rows of `row_size`
/// elements without gaps, operands lie as it does or hold one value or one a column.
class Epilogue {
 public:
  /// How many operations of `tail`, from the first, an epilogue whose output has `layout` carries.
  /// `inputs` are the layouts of the step's inputs.
  static size_t carried(const Tail& tail, const Layout& layout, const std::vector<Layout>& inputs,
                        int channel_dim);

  /// `tail` is carried as a whole; it ends in kQuantize if `out` is bytes.
  Epilogue(Tail tail, const std::vector<at::Tensor>& inputs, const at::Tensor& out,
           int64_t row_size);

  void apply(const SumTile& tile, const Columns& columns) const;

  /// A tail of clamps and a quantization: the bytes it makes are at least `low`, and at most those
  /// of `ceilings`, one a column, which count where they are smaller. See epilogue.cpp for the last
  /// two.
  struct ToCodes {
    quant::ByteFormat format;
    int low;
    std::vector<uint8_t> ceilings;
    float reciprocal, near_tie;
  };

 private:
  /// What the vector kernel runs on, in order; empty where it cannot run this tail.
  struct Stage {
    enum class Kind { kClamp, kFake, kAddBytes, kAddFloats, kQuantize };
    Kind kind;
    float low = 0, high = 0;
    quant::ByteFormat format;
    float reciprocal = 0, near_tie = 0;
    const void* operand = nullptr;
  };
  struct Vector;

  void plan_stages();
  bool find_codes();
  static bool add_ceilings(const at::Tensor& ceilings, ToCodes& to);
  bool find_table(size_t first, const quant::ByteFormat& format);
  void look_up(const SumTile& tile) const;
  bool add_stage(const TailOp& op, const at::Tensor& operand);
  void apply_generic(const SumTile& tile, const Columns& columns) const;
  template <class Element>
  void store(const SumTile& tile, const Element* from, Element* to) const;
  void apply_tail(size_t op, const SumTile& tile, float* values) const;

  Tail tail_;
  std::vector<at::Tensor> operands_;
  std::vector<Stage> stages_;
  std::optional<ToCodes> to_codes_;
  /// What follows that, by byte; empty where nothing does.
  std::vector<uint8_t> table_;
  bool vector_ = false;
  void* out_;
  bool bytes_;
  int64_t row_size_;
};

}  // namespace ptq::runtime::integer
