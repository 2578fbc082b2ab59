#include "ptq/ir/op.h"

namespace ptq::ir {

std::vector<int64_t> at_batch(const Dims& dims, int64_t batch) {
  std::vector<int64_t> extents;
  extents.reserve(dims.size());
  for (const Dim& dim : dims) extents.push_back(dim.at(batch));
  return extents;
}

std::string_view op_name(const Op& op) {
  return std::visit([](const auto& typed) { return std::decay_t<decltype(typed)>::kName; }, op);
}

const Weighted* weighted(const Op& op) {
  return std::visit(
      [](const auto& typed) -> const Weighted* {
        if constexpr (std::is_base_of_v<Weighted, std::decay_t<decltype(typed)>>) return &typed;
        return nullptr;
      },
      op);
}

Weighted* weighted(Op& op) { return const_cast<Weighted*>(weighted(std::as_const(op))); }

int64_t output_channel_axis(const Op& op) {
  return std::holds_alternative<ConvTranspose>(op) ? 1 : 0;
}

}  // namespace ptq::ir
