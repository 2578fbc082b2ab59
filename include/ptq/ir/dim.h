#pragma once

#include <cstdint>
#include <vector>

namespace ptq::ir {

/// An integer of a graph that may grow with the batch: `value`, or `value` times the batch size.
/// Importing at two batch sizes tells which (ARCHITECTURE.md, "Importing").
struct Dim {
  int64_t value = 0;
  bool times_batch = false;

  int64_t at(int64_t batch) const { return times_batch ? value * batch : value; }
  bool operator==(const Dim& other) const {
    return value == other.value && times_batch == other.times_batch;
  }
};

using Dims = std::vector<Dim>;

/// Every extent of `dims` for a batch of `batch` images.
std::vector<int64_t> at_batch(const Dims& dims, int64_t batch);

}  // namespace ptq::ir
