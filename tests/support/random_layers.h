#pragma once

#include <random>
#include <string>
#include <vector>

#include "support/graph_builder.h"

namespace ptq::testing {

/// Layers of random weights, for random_network.
class RandomLayers {
 public:
  using Value = ir::ValueId;

  explicit RandomLayers(unsigned seed) : random_(seed) {}

  GraphBuilder& builder() { return builder_; }
  Value add(ir::Op op, const std::vector<Value>& inputs) {
    return builder_.add(std::move(op), inputs);
  }
  int64_t channels(Value x) const { return builder_.channels(x); }
  /// Height, for [N, C, H, W].
  int64_t height(Value x) const { return builder_.sizes(x).at(2); }

  /// Uniform in [low, high].
  int64_t pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  int64_t width() { return 2 * pick(2, 4); }

  struct Shape {
    int64_t kernel = 3, stride = 1, groups = 1;
  };
  Value conv(Value x, int64_t out, Shape shape);
  /// Doubles height and width; `groups` 1 or 2.
  Value transposed(Value x, int64_t out, int64_t groups);
  Value linear(Value x, int64_t out, const std::string& weight_name = "weight");
  /// Over dimension 1.
  Value batch_norm(Value x);
  Value layer_norm(Value x);
  /// Mostly relu.
  Value activation(Value x);
  /// conv, and most of the time a batch norm and an activation.
  Value layer(Value x, int64_t out, Shape shape);
  /// The layer that made `x`, once more, with the same module's parameters.
  Value again(Value x);
  Value constant(const std::vector<int64_t>& sizes);

 private:
  /// Log-uniform in [1/8, 8], of mean square 1.
  at::Tensor disturbance(int64_t channels);
  ir::Parameter parameter(const std::string& word, const at::Tensor& value);
  void fill(ir::Weighted& layer, const std::vector<int64_t>& sizes, int64_t output_axis,
            int64_t outputs, int64_t fan_in);

  unsigned seed() { return static_cast<unsigned>(random_()); }

  std::mt19937 random_;
  GraphBuilder builder_{{3, 8, 8}};
  int modules_ = 0;
};

}  // namespace ptq::testing
