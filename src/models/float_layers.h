#pragma once

#include <map>
#include <optional>
#include <string>

#include "ptq/ir/graph.h"

namespace ptq::models {

/// What a float network does around its layers, by the names of their weights: what a network that
/// is written down by hand takes over from the file.
class FloatLayers {
 public:
  /// Knows nothing where `graph` is null. It is not kept.
  explicit FloatLayers(const ir::Graph* graph);

  struct Padding {
    /// On both sides of each dimension, by the convolution itself.
    ir::Ints symmetric;
    /// Zeros that a node of its own puts around, as TensorFlow's padding needs.
    std::optional<ir::Op> zeros;
  };
  /// Of the convolution with the weight `layer.weight`; null where the network has none.
  const Padding* padding(const std::string& layer) const;
  /// Of the batch norm with the mean `layer.running_mean`.
  double eps(const std::string& layer, double otherwise) const;
  /// What follows the batch norm with the mean `layer.running_mean`: a ReLU, or a clamp from 0 to
  /// its bounds; a ReLU where the network has no such norm. Throws ImportError where it is
  /// something else.
  ir::Op activation(const std::string& layer) const;

 private:
  std::map<std::string, Padding> paddings_;
  std::map<std::string, double> eps_;
  std::map<std::string, ir::Op> activations_;
};

}  // namespace ptq::models
