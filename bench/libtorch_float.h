#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

namespace ptq::bench {

/// A TorchScript file as LibTorch itself would run it in float.
class LibtorchFloat {
 public:
  enum class Preparation { kFrozenChannelsLast, kOptimizedForInference };

  LibtorchFloat(const std::string& path, Preparation preparation);
  ~LibtorchFloat();
  LibtorchFloat(LibtorchFloat&&) noexcept;

  at::Tensor run(const at::Tensor& images);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ptq::bench
