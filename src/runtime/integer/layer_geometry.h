#pragma once

#include "runtime/integer/window_rows.h"
#include "runtime/steps/step.h"

namespace ptq::runtime::integer {

/// What a Conv, ConvTranspose or Linear is as windows over its input.
Windows windows_of(const ir::Op& op, const Layout& in, const Extents& out_sizes);

/// Its weight as [output channels, terms of a window], group after group.
at::Tensor rows_of(const ir::Op& op, const at::Tensor& weight);

/// Where the layer's output lies: as its input does.
Layout output_of(const ir::Op& op, const Layout& in, const Extents& out_sizes);

/// Groups that become one, so that there are columns enough for a vector: [output channels, terms]
/// with what a channel does not read at its weight's zero, and the windows of fewer groups.
struct MergedGroups {
  at::Tensor rows;
  Windows windows;
};
MergedGroups merge_groups(const at::Tensor& rows, const Windows& windows,
                          const std::vector<int32_t>& weight_zero, int64_t columns_wanted);

}  // namespace ptq::runtime::integer
