#pragma once

#include <vector>

#include "runtime/integer/product_kernel.h"

namespace ptq::runtime::integer {

/// Those with vector instructions, fastest first, whether they may be used here or not.
std::vector<ProductKernel> vector_product_kernels();

}  // namespace ptq::runtime::integer
