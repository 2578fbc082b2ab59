#pragma once

#include <cstdint>
#include <vector>

#include "runtime/integer/product_kernel.h"

namespace ptq::runtime::integer {

/// How a matrix of `terms` x `columns` int8 lies in panels for a kernel. Terms come in pieces of
/// equal length, and each begins a step of its own.
class PanelShape {
 public:
  PanelShape(const ProductKernel& kernel, int64_t terms, int64_t columns, int64_t pieces = 1);

  struct Panel {
    int64_t first, columns, offset;
  };
  const std::vector<Panel>& panels() const { return panels_; }
  int64_t bytes() const { return bytes_; }
  int64_t pieces() const { return terms_ / piece_terms_; }
  int64_t piece_terms() const { return piece_terms_; }
  /// Steps of a piece.
  int64_t depth_steps() const { return steps_; }
  int64_t columns() const { return columns_; }
  /// Elements of a piece of a row that a kernel reads.
  int64_t read_terms() const { return steps_ * kernel_->depth; }
  const ProductKernel& kernel() const { return *kernel_; }

  /// Element (term, column) is from[term * term_stride + column * column_stride], with its highest
  /// bit turned over where `flip` (unsigned to signed, 128 lower). What is past the end is 0.
  void pack(const int8_t* from, int64_t term_stride, int64_t column_stride, bool flip,
            void* to) const;

 private:
  template <class Element>
  void pack_as(const int8_t* from, int64_t term_stride, int64_t column_stride, bool flip,
               void* to) const;

  const ProductKernel* kernel_;
  int64_t terms_, piece_terms_, columns_, steps_, bytes_ = 0;
  std::vector<Panel> panels_;
};

/// Bytes at an address that is a multiple of a cache line, 0 at first, with as many to spare
/// behind.
class AlignedBytes {
 public:
  AlignedBytes() : AlignedBytes(0) {}
  explicit AlignedBytes(int64_t size) : bytes_(static_cast<size_t>(size) + 128) {}
  void* data() const {
    const auto address = reinterpret_cast<uintptr_t>(bytes_.data());
    return reinterpret_cast<void*>((address + 63) / 64 * 64);
  }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace ptq::runtime::integer
