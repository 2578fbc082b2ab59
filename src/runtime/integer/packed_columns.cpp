#include "runtime/integer/packed_columns.h"

#include <algorithm>

namespace ptq::runtime::integer {

PanelShape::PanelShape(const ProductKernel& kernel, int64_t terms, int64_t columns, int64_t pieces)
    : kernel_(&kernel),
      terms_(terms),
      piece_terms_(terms / pieces),
      columns_(columns),
      steps_((piece_terms_ + kernel.depth - 1) / kernel.depth) {
  for (int64_t first = 0; first < columns; first += kernel.columns) {
    const int64_t left = std::min(kernel.columns, columns - first);
    const int64_t step = kernel.column_step;
    const int64_t wide = (left + step - 1) / step * step;
    panels_.push_back({first, wide, bytes_});
    bytes_ += (pieces * read_terms() * wide * kernel.element_bytes + 63) / 64 * 64;
  }
}

void PanelShape::pack(const int8_t* from, int64_t term_stride, int64_t column_stride, bool flip,
                      void* to) const {
  if (kernel_->element_bytes == 1)
    return pack_as<int8_t>(from, term_stride, column_stride, flip, to);
  pack_as<int16_t>(from, term_stride, column_stride, flip, to);
}

template <class Element>
void PanelShape::pack_as(const int8_t* from, int64_t term_stride, int64_t column_stride, bool flip,
                         void* to) const {
  const int64_t depth = kernel_->depth;
  for (const Panel& panel : panels_) {
    auto* out = reinterpret_cast<Element*>(static_cast<uint8_t*>(to) + panel.offset);
    const int64_t columns = std::min(panel.columns, columns_ - panel.first);
    std::fill_n(out, pieces() * read_terms() * panel.columns, Element{0});
    for (int64_t term = 0; term < terms_; ++term) {
      const int8_t* row = from + term * term_stride + panel.first * column_stride;
      const int64_t at = term / piece_terms_ * read_terms() + term % piece_terms_;
      Element* place = out + (at / depth * panel.columns) * depth + at % depth;
      for (int64_t column = 0; column < columns; ++column) {
        const int8_t value = row[column * column_stride];
        place[column * depth] =
            flip ? static_cast<int8_t>(static_cast<uint8_t>(value) ^ 0x80U) : value;
      }
    }
  }
}

}  // namespace ptq::runtime::integer
