#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "import/module_names.h"
#include "ptq/ir/graph.h"

namespace ptq::import {

/// Writes a graph while a model runs: which tensor holds which value, and what was done to it.
/// Tensors are followed by identity. A tensor that no image flowed into is a constant.
class Recorder {
 public:
  explicit Recorder(const ModuleNames& names) : names_(names) {}

  void start(const at::Tensor& images);

  /// Between them, nodes belong to `module`.
  void enter(const ModuleInfo& module);
  void leave() { open_calls_.pop_back(); }
  /// Path of the module that runs now.
  std::string module() const;

  /// How many have been written down.
  size_t nodes() const { return graph_.nodes.size(); }

  bool follows(const at::Tensor& tensor) const { return find(tensor) != nullptr; }
  bool follows(const std::vector<at::Tensor>& tensors) const;

  /// Throws ImportError if image data was written into the memory of `tensor` through another
  /// tensor: what it holds is then unknown.
  void check_readable(const at::Tensor& tensor) const;

  /// The value that `tensor` holds now; a Constant node is made for a tensor that holds none.
  /// Checks like check_readable.
  ir::ValueId read(const at::Tensor& tensor);

  /// Appends a node called by `word` where its module has no name for it.
  ir::ValueId append(ir::Op op, std::vector<ir::ValueId> inputs, c10::IntArrayRef shape,
                     const std::string& word);

  /// From now on `tensor` holds `value`.
  void bind(const at::Tensor& tensor, ir::ValueId value);
  /// The same for a write in place: other tensors that share the memory can no longer be read.
  void bind_written(const at::Tensor& tensor, ir::ValueId value);

  /// A tensor that an operation owns. `role` names it where the model does not: "weight".
  ir::Parameter parameter(const at::Tensor& tensor, const std::string& role) const;

  /// The graph that ends in `output`, all nodes named.
  ir::Graph finish(const at::Tensor& output);

 private:
  /// One run of a module's method.
  struct ModuleCall {
    std::string path;
    bool leaf = false;
    int nodes = 0;
  };
  struct Origin {
    size_t call = 0;
    std::string word;
  };
  // Weak references keep an address from being used again while it is a key.
  struct Held {
    c10::weak_intrusive_ptr<c10::TensorImpl> tensor;
    ir::ValueId value;
    int version;
  };
  struct Written {
    c10::weak_intrusive_ptr<c10::StorageImpl> storage;
    int version;
  };

  const Held* find(const at::Tensor& tensor) const;
  int version_of(const at::Tensor& tensor) const;
  ir::ValueId append_constant(const at::Tensor& tensor);
  std::string wanted_name(const ir::Node& node, const Origin& origin) const;
  void name_nodes();

  const ModuleNames& names_;
  ir::Graph graph_;
  std::vector<Origin> origins_;
  std::vector<ModuleCall> calls_;
  std::vector<size_t> open_calls_;
  std::unordered_map<const c10::TensorImpl*, Held> held_;
  std::unordered_map<const c10::StorageImpl*, Written> written_;
};

ir::Dims constant_dims(c10::IntArrayRef shape);

}  // namespace ptq::import
