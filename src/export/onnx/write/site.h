#pragma once

#include <map>
#include <string>
#include <vector>

#include "export/export.h"
#include "export/onnx/model.h"

namespace ptq::exporting {

/// What is being translated, and what several nodes have in common.
struct OnnxTranslation {
  OnnxModel& model;
  NetworkView network;
  /// Of its graph.
  const ir::Index& index;
  const ExportOptions& options;
  /// Tensor of each value.
  std::map<ir::ValueId, std::string> tensors = {};
  /// Tensors that exist once, by what they hold.
  std::map<std::string, std::string> shared = {};
};

/// One node of the graph while it becomes one or more ONNX nodes.
class OnnxSite {
 public:
  OnnxSite(OnnxTranslation& translation, const ir::Node& translated)
      : whole(translation), model(translation.model), node(translated) {}

  OnnxTranslation& whole;
  OnnxModel& model;
  const ir::Node& node;

  std::string input(size_t i = 0) const { return whole.tensors.at(node.inputs.at(i)); }
  std::vector<std::string> inputs() const {
    std::vector<std::string> names;
    for (size_t i = 0; i < node.inputs.size(); ++i) names.push_back(input(i));
    return names;
  }
  const ir::Dims& input_shape(size_t i = 0) const { return shape(node.inputs.at(i)); }
  const ir::Dims& output_shape() const { return shape(node.output()); }

  /// Name of something that belongs to this node.
  std::string part(const std::string& word) const { return node.name + "." + word; }

  /// A node on the way to the output; returns its tensor.
  std::string step(const std::string& op_type, const std::string& word,
                   std::vector<std::string> inputs, std::vector<OnnxAttribute> attributes = {}) {
    return model.add({op_type, part(word), std::move(inputs), std::move(attributes)});
  }
  std::string number(const std::string& word, double value) {
    return model.add_number(part(word), value);
  }

  const std::string& output() const { return whole.tensors.at(node.output()); }

  /// The node that makes the output, under its name. Call once, last.
  void finish(const std::string& op_type, std::vector<std::string> inputs,
              std::vector<OnnxAttribute> attributes = {}) {
    model.add_under_own_name({op_type, output(), std::move(inputs), std::move(attributes)});
  }

 private:
  const ir::Dims& shape(ir::ValueId value) const {
    return whole.network.graph.values[static_cast<size_t>(value)].shape;
  }
};

/// A tensor int64 [1] of an extent: a constant, or computed from the size of the batch.
std::string extent_tensor(OnnxSite& site, const std::string& word, const ir::Dim& dim);

/// Translations of each operation; each calls site.finish.
void translate(OnnxSite& site, const ir::Conv& op);
void translate(OnnxSite& site, const ir::ConvTranspose& op);
void translate(OnnxSite& site, const ir::Linear& op);
void translate(OnnxSite& site, const ir::BatchNorm& op);
void translate(OnnxSite& site, const ir::LayerNorm& op);
void translate(OnnxSite& site, const ir::Relu& op);
void translate(OnnxSite& site, const ir::Relu6& op);
void translate(OnnxSite& site, const ir::Sigmoid& op);
void translate(OnnxSite& site, const ir::Silu& op);
void translate(OnnxSite& site, const ir::Hardswish& op);
void translate(OnnxSite& site, const ir::Hardsigmoid& op);
void translate(OnnxSite& site, const ir::Gelu& op);
void translate(OnnxSite& site, const ir::LeakyRelu& op);
void translate(OnnxSite& site, const ir::Softmax& op);
void translate(OnnxSite& site, const ir::Add& op);
void translate(OnnxSite& site, const ir::Sub& op);
void translate(OnnxSite& site, const ir::Mul& op);
void translate(OnnxSite& site, const ir::Div& op);
void translate(OnnxSite& site, const ir::AddScalar& op);
void translate(OnnxSite& site, const ir::MulScalar& op);
void translate(OnnxSite& site, const ir::MatMul& op);
void translate(OnnxSite& site, const ir::Concat& op);
void translate(OnnxSite& site, const ir::MaxPool& op);
void translate(OnnxSite& site, const ir::AvgPool& op);
void translate(OnnxSite& site, const ir::AdaptiveAvgPool& op);
void translate(OnnxSite& site, const ir::Mean& op);
void translate(OnnxSite& site, const ir::Reshape& op);
void translate(OnnxSite& site, const ir::Permute& op);
void translate(OnnxSite& site, const ir::Expand& op);
void translate(OnnxSite& site, const ir::Select& op);
void translate(OnnxSite& site, const ir::Slice& op);
void translate(OnnxSite& site, const ir::FakeQuantize& op);
void translate(OnnxSite& site, const ir::Opaque& op);

/// ReduceMean, ReduceSum and others over the dimensions as the node's last step; mean_step keeps
/// them. Both in the form that the opset has.
void finish_reduction(OnnxSite& site, const std::string& op_type, const ir::Ints& dims,
                      bool keeps_dims);
std::string mean_step(OnnxSite& site, const std::string& word, const std::string& input,
                      const ir::Ints& dims);

}  // namespace ptq::exporting
