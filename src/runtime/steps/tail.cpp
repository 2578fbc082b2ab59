#include "runtime/steps/tail.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "ptq/base/error.h"

namespace ptq::runtime {
namespace {

/// Elements that pass through all operations before the next ones are touched: 4 KiB of the L1.
constexpr int64_t kChunk = 1024;

struct Access {
  const void* data = nullptr;
  Extents strides;
  /// Where `data` is bytes.
  std::optional<quant::ByteFormat> codes;
};

/// Loops over `out` in the order of its memory, with dimensions merged wherever every access
/// allows. The last loop is the innermost.
class TailLoops {
 public:
  TailLoops(Tail tail, const TailInput& in, const std::vector<at::Tensor>& operands,
            const at::Tensor& out)
      : tail_(std::move(tail)), out_(out.data_ptr()) {
    if (!tail_.empty() && tail_.back().kind == TailKind::kQuantize) {
      codes_ = tail_.back().codes;
      tail_.pop_back();
    }
    const Layout layout = layout_of(out);
    order_ = memory_order(layout);
    in_ = access(in.value, in.codes, out);
    for (size_t i = 0; i < tail_.size(); ++i) {
      operands_.push_back(access(operands[i], tail_[i].codes, out));
    }
    for (const size_t dim : order_) {
      sizes_.push_back(layout.sizes[dim]);
      out_strides_.push_back(layout.strides[dim]);
    }
    merge();
    constants_ = operands;
  }

  void run() const {
    Extents index(sizes_.size() - 1, 0);
    do {
      run_inner(index);
    } while (advance(index));
  }

 private:
  /// Strides of `tensor`, broadcast to `out`, in the order of the loops.
  Access access(const at::Tensor& tensor, const std::optional<quant::ByteFormat>& codes,
                const at::Tensor& out) const {
    if (!tensor.defined()) return {};
    const at::Tensor expanded = tensor.expand(out.sizes());
    Access result{expanded.data_ptr(), {}, codes};
    for (const size_t dim : order_) {
      result.strides.push_back(expanded.stride(static_cast<int64_t>(dim)));
    }
    return result;
  }

  template <class Visit>
  void each_strides(Visit&& visit) {
    visit(out_strides_), visit(in_.strides);
    for (Access& operand : operands_) {
      if (operand.data != nullptr) visit(operand.strides);
    }
  }

  bool can_merge(size_t outer) {
    bool possible = true;
    each_strides([&](const Extents& strides) {
      possible = possible && strides[outer] == strides[outer + 1] * sizes_[outer + 1];
    });
    return possible;
  }

  void erase(size_t loop) {
    sizes_.erase(sizes_.begin() + static_cast<std::ptrdiff_t>(loop));
    each_strides([&](Extents& strides) {
      strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(loop));
    });
  }

  void merge() {
    if (sizes_.empty()) {
      sizes_ = {1};
      each_strides([](Extents& strides) { strides = {1}; });
    }
    for (size_t loop = sizes_.size(); loop-- > 0;) {
      if (sizes_[loop] == 1 && sizes_.size() > 1) erase(loop);
    }
    for (size_t outer = sizes_.size() - 1; outer-- > 0;) {
      if (!can_merge(outer)) continue;
      sizes_[outer + 1] *= sizes_[outer];
      erase(outer);
    }
  }

  bool advance(Extents& index) const {
    for (size_t loop = index.size(); loop-- > 0;) {
      if (++index[loop] < sizes_[loop]) return true;
      index[loop] = 0;
    }
    return false;
  }

  static int64_t offset(const Extents& strides, const Extents& index) {
    int64_t sum = 0;
    for (size_t loop = 0; loop < index.size(); ++loop) sum += strides[loop] * index[loop];
    return sum;
  }

  void run_inner(const Extents& index) const {
    const int64_t to = offset(out_strides_, index);
    const int64_t from = offset(in_.strides, index), in_stride = in_.strides.back();
    std::array<float, kChunk> values;
    for (int64_t begin = 0; begin < sizes_.back(); begin += kChunk) {
      const int64_t count = std::min(kChunk, sizes_.back() - begin);
      float* const chunk = codes_ ? values.data() : static_cast<float*>(out_) + to + begin;
      gather(in_, from + begin * in_stride, chunk, count);
      for (size_t i = 0; i < tail_.size(); ++i) apply(i, index, begin, chunk, count);
      if (codes_) {
        quant::quantize(chunk, static_cast<uint8_t*>(out_) + to + begin, count, *codes_);
      }
    }
  }

  void apply(size_t i, const Extents& index, int64_t begin, float* data, int64_t count) const {
    const Access& operand = operands_[i];
    if (operand.data == nullptr) return apply_tail_op(tail_[i], data, nullptr, 0, count);
    const int64_t stride = operand.strides.back();
    const int64_t place = offset(operand.strides, index) + begin * stride;
    if (!operand.codes && (stride == 0 || stride == 1)) {
      const float* from = static_cast<const float*>(operand.data) + place;
      return apply_tail_op(tail_[i], data, from, stride, count);
    }
    std::array<float, kChunk> gathered;
    gather(operand, place, gathered.data(), count);
    apply_tail_op(tail_[i], data, gathered.data(), 1, count);
  }

  /// `count` values along the innermost loop as floats, from the element `place` on.
  static void gather(const Access& access, int64_t place, float* to, int64_t count) {
    const int64_t stride = access.strides.back();
    if (access.codes) {
      const uint8_t* from = static_cast<const uint8_t*>(access.data) + place;
      if (stride == 1) return quant::dequantize(from, to, count, *access.codes);
      for (int64_t i = 0; i < count; ++i) to[i] = dequantize(from[i * stride], *access.codes);
      return;
    }
    const float* from = static_cast<const float*>(access.data) + place;
    if (from == to) return;
    if (stride == 1) {
      std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
    } else {
      for (int64_t i = 0; i < count; ++i) to[i] = from[i * stride];
    }
  }

  /// But for a last kQuantize, which makes `codes_`.
  Tail tail_;
  std::optional<quant::ByteFormat> codes_;
  void* out_;
  Access in_;
  std::vector<Access> operands_;
  std::vector<at::Tensor> constants_;
  std::vector<size_t> order_;
  Extents sizes_, out_strides_;
};

at::Tensor operand_of(const TailOp& op, const std::vector<at::Tensor>& inputs) {
  return op.input == kNoOperand ? op.constant : inputs.at(static_cast<size_t>(op.input));
}

}  // namespace

Bound bind_tail(const Tail& tail, const TailInput& in, const std::vector<at::Tensor>& inputs,
                const at::Tensor& out) {
  std::vector<at::Tensor> operands;
  for (const TailOp& op : tail) operands.push_back(operand_of(op, inputs));
  return [loops = TailLoops(tail, in, operands, out)] { loops.run(); };
}

}  // namespace ptq::runtime
