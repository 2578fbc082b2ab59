#include <ATen/core/Tensor.h>

#include <numeric>

#include "runtime/integer/layer_step.h"
#include "runtime/integer/multiply.h"

namespace ptq::runtime::integer {
namespace {

/// A product of two values that both depend on the images: the second one is packed every time.
class ProductStep : public Step {
 public:
  ProductStep(const StepRequest& request, const Layout& out, Tail tail)
      : first_(*request.inputs[0].codes),
        second_(*request.inputs[1].codes),
        shape_(product_kernel(), request.inputs[0].sizes.back(), out.sizes.back()),
        rows_(out.sizes[out.sizes.size() - 2]),
        terms_(request.inputs[0].sizes.back()),
        scales_(static_cast<size_t>(shape_.columns()), first_.params.scale * second_.params.scale),
        weight_zeros_(scales_.size(), second_.zero() - 128),
        tail_(std::move(tail)) {
    row_bytes_ = (shape_.read_terms() + 15) / 16 * 16 * shape_.kernel().element_bytes;
  }

  int64_t scratch_bytes() const override {
    const int64_t integers = (rows_ + shape_.columns()) * static_cast<int64_t>(sizeof(int32_t));
    return shape_.bytes() + rows_ * row_bytes_ + integers + 256;
  }

  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* scratch) const override {
    const auto expanded = [&](const at::Tensor& in) {
      std::vector<int64_t> sizes = out.sizes().vec();
      const auto rank = sizes.size();
      sizes[rank - 2] = in.size(-2), sizes[rank - 1] = in.size(-1);
      return in.expand(sizes);
    };
    return [step = *this, a = expanded(inputs.at(0)), b = expanded(inputs.at(1)),
            epilogue = Epilogue(tail_, inputs, out, out.size(-1)),
            scratch = static_cast<uint8_t*>(scratch)] { step.run(a, b, epilogue, scratch); };
  }

 private:
  struct Scratch {
    uint8_t *panels, *rows;
    int32_t *row_sums, *constants;
  };

  Scratch parts_of(uint8_t* scratch) const {
    const auto address = (reinterpret_cast<uintptr_t>(scratch) + 63) / 64 * 64;
    auto* const panels = reinterpret_cast<uint8_t*>(address);
    uint8_t* const rows = panels + shape_.bytes();
    auto* const sums = reinterpret_cast<int32_t*>(rows + rows_ * row_bytes_);
    return {panels, rows, sums, sums + rows_};
  }

  void run(const at::Tensor& a, const at::Tensor& b, const Epilogue& epilogue,
           uint8_t* scratch) const {
    const Scratch parts = parts_of(scratch);
    const auto outer = a.sizes().slice(0, static_cast<size_t>(a.dim()) - 2);
    const int64_t matrices =
        std::accumulate(outer.begin(), outer.end(), int64_t{1}, std::multiplies<>());
    for (int64_t matrix = 0; matrix < matrices; ++matrix) {
      int64_t a_offset = 0, b_offset = 0, rest = matrix;
      for (auto dim = static_cast<int64_t>(outer.size()); dim-- > 0;) {
        const int64_t index = rest % a.size(dim);
        rest /= a.size(dim);
        a_offset += index * a.stride(dim), b_offset += index * b.stride(dim);
      }
      const PreparedRows rows =
          prepare_rows(a.data_ptr<uint8_t>() + a_offset, a.stride(-2), a.stride(-1), parts);
      prepare_columns(b.data_ptr<uint8_t>() + b_offset, b.stride(-2), b.stride(-1), parts);
      multiply(rows, shape_, parts.panels, epilogue,
               {parts.constants, weight_zeros_.data(), scales_.data(), nullptr}, matrix * rows_, 0);
    }
  }

  PreparedRows prepare_rows(const uint8_t* from, int64_t row_stride, int64_t term_stride,
                            const Scratch& parts) const {
    for (int64_t row = 0; row < rows_; ++row, from += row_stride) {
      uint8_t* const to = parts.rows + row * row_bytes_;
      int32_t sum = 0;
      for (int64_t term = 0; term < terms_; ++term) sum += from[term * term_stride];
      parts.row_sums[row] = sum;
      if (shape_.kernel().element_bytes == 1) {
        for (int64_t term = 0; term < terms_; ++term) to[term] = from[term * term_stride];
        std::fill(to + terms_, to + shape_.read_terms(), uint8_t{0});
      } else {
        auto* const wide = reinterpret_cast<int16_t*>(to);
        for (int64_t term = 0; term < terms_; ++term) wide[term] = from[term * term_stride];
        std::fill(wide + terms_, wide + shape_.read_terms(), int16_t{0});
      }
    }
    PreparedRows prepared{parts.rows, row_bytes_, rows_};
    prepared.sums = parts.row_sums;
    return prepared;
  }

  /// Panels of b, 128 lower, and sum (a - za)(b - zb) without sum a b and zb sum a.
  void prepare_columns(const uint8_t* from, int64_t term_stride, int64_t column_stride,
                       const Scratch& parts) const {
    shape_.pack(reinterpret_cast<const int8_t*>(from), term_stride, column_stride, true,
                parts.panels);
    const int32_t first_zero = first_.zero(), second_zero = second_.zero() - 128;
    const auto terms = static_cast<int32_t>(terms_);
    for (int64_t column = 0; column < shape_.columns(); ++column) {
      parts.constants[column] = 0;
    }
    for (int64_t term = 0; term < terms_; ++term) {
      const uint8_t* row = from + term * term_stride;
      for (int64_t column = 0; column < shape_.columns(); ++column) {
        parts.constants[column] += row[column * column_stride];
      }
    }
    for (int64_t column = 0; column < shape_.columns(); ++column) {
      const int32_t sum = parts.constants[column] - 128 * terms;
      const int64_t zeros = int64_t{first_zero} * (int64_t{terms} * second_zero - sum);
      parts.constants[column] = static_cast<int32_t>(static_cast<uint32_t>(zeros));
    }
  }

  quant::ByteFormat first_, second_;
  PanelShape shape_;
  int64_t rows_, terms_, row_bytes_ = 0;
  std::vector<float> scales_;
  std::vector<int32_t> weight_zeros_;
  Tail tail_;
};

}  // namespace

BuiltStep build_product(const StepRequest& request) {
  const Layout out = row_major(request.sizes);
  return with_epilogue(request, out, static_cast<int>(request.sizes.size()) - 1, [&](Tail carried) {
    return std::make_unique<ProductStep>(request, out, std::move(carried));
  });
}

}  // namespace ptq::runtime::integer
