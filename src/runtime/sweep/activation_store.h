#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <memory>
#include <variant>

#include "runtime/layout.h"
#include "runtime/sweep/spill_file.h"

namespace ptq::runtime {

/// Keeps activations between the steps of a sweep: in memory while they fit, in a temporary file
/// where not. What was kept comes back bit for bit. May be used by several threads at once.
class ActivationStore {
  struct Shared;

 public:
  /// One activation in the store; it leaves when the last handle goes.
  class Activation {
   public:
    ~Activation();
    Activation(const Activation&) = delete;
    Activation& operator=(const Activation&) = delete;

    /// A tensor that nobody may write to.
    at::Tensor load() const;
    const Layout& layout() const { return layout_; }

   private:
    friend class ActivationStore;
    Activation(std::shared_ptr<Shared> store, const at::Tensor& dense);

    std::shared_ptr<Shared> store_;
    Layout layout_;
    /// The tensor, or its offset in the file.
    std::variant<at::Tensor, int64_t> place_;
  };
  using Handle = std::shared_ptr<const Activation>;

  explicit ActivationStore(int64_t memory_bytes);

  /// `dense` has elements without gaps, in any order of dimensions. Throws OutputError if the file
  /// cannot be written.
  Handle keep(const at::Tensor& dense) const;

  /// Bytes that are in memory, and in the file, now.
  int64_t bytes_in_memory() const;
  int64_t bytes_in_file() const;

 private:
  struct Shared {
    explicit Shared(int64_t limit) : memory_bytes(limit) {}
    const int64_t memory_bytes;
    std::atomic<int64_t> in_memory{0}, in_file{0};
    SpillFile file;
  };

  std::shared_ptr<Shared> shared_;
};

}  // namespace ptq::runtime
