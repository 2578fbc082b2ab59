#pragma once

#include <dnnl.hpp>
#include <string>
#include <unordered_map>

#include "runtime/onednn/onednn.h"

namespace ptq::runtime::onednn {

using Arguments = std::unordered_map<int, dnnl::memory>;

struct Kernel::State {
  dnnl::primitive primitive;
  /// Prepacked weights, biases, operands of post-operations: the same for every lane.
  Arguments fixed;
  dnnl::memory::desc first, second, out, scratch;
  size_t tail_carried = 0;
  std::string implementation;
};

const dnnl::engine& engine();

/// A float32 description of `layout`.
dnnl::memory::desc describe(const Layout& layout);

/// A copy of `tensor` (any strides) in the format `packed`.
dnnl::memory pack(const at::Tensor& tensor, const dnnl::memory::desc& plain,
                  const dnnl::memory::desc& packed);

/// The part of a tail that a primitive can carry, as post-operations.
struct PostOps {
  dnnl::primitive_attr attributes;
  Arguments arguments;
  size_t carried = 0;
};

/// `rank` and `channel_dim` of the primitive's output; operands are scalars or vectors over
/// `channel_dim`. Tail operations from the first one that reads another activation are left out.
PostOps post_ops(const Tail& tail, int rank, int channel_dim);

}  // namespace ptq::runtime::onednn
