#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "import/module_names.h"
#include "ptq/ir/graph.h"

namespace ptq::import {

/// Writes a graph while a model runs: which tensor holds which value, and what was done to it.
/// Tensors are followed by identity. A tensor that no image flowed into is a constant. Memory that
/// was written into is followed as a whole: tensors that show a part of it read that part of what
/// was written last.
class Recorder {
 public:
  /// `seen` is told every value with the tensor that holds it.
  explicit Recorder(const ModuleNames& names,
                    std::function<void(ir::ValueId, const at::Tensor&)> seen = nullptr)
      : names_(names), seen_(std::move(seen)) {}

  void start(const at::Tensor& images);

  /// Between them, nodes belong to `module`.
  void enter(const ModuleInfo& module);
  void leave() { open_calls_.pop_back(); }
  /// Path of the module that runs now.
  std::string module() const;

  /// What runs now, for sentences about what it is given: "conv2d (aten::conv2d)".
  void now_runs(std::string operation) { operation_ = std::move(operation); }

  /// How many have been written down.
  size_t nodes() const { return graph_.nodes.size(); }

  /// Whether image data lies in `tensor`.
  bool follows(const at::Tensor& tensor) const {
    return find(tensor) != nullptr || version_of(tensor) > 0;
  }
  bool follows(const std::vector<at::Tensor>& tensors) const;

  /// Throws ImportError if image data was written into the memory of `tensor` through another
  /// tensor, and the memory is not one that the model allocated as a whole.
  void check_readable(const at::Tensor& tensor) const;

  /// The value that `tensor` holds now; a Constant node is made for a tensor that holds none.
  /// Checks like check_readable, and that constants are numbers.
  ir::ValueId read(const at::Tensor& tensor);

  /// The tensor that owns the memory `tensor` shows, from its first to its last element; undefined
  /// where the model never had it in hand.
  at::Tensor whole_of(const at::Tensor& tensor) const;

  /// The elements of `whole`, which owns its memory, as they lie in it: one dimension.
  ir::ValueId read_memory(const at::Tensor& whole);

  /// Before image data is written into `tensor`: remembers what its memory holds.
  void prepare_write(const at::Tensor& tensor);

  /// Appends a node called by `word` where its module has no name for it.
  ir::ValueId append(ir::Op op, std::vector<ir::ValueId> inputs, c10::IntArrayRef shape,
                     const std::string& word);

  /// From now on `tensor` holds `value`.
  void bind(const at::Tensor& tensor, ir::ValueId value);
  /// The same for a write in place, which other tensors that share the memory see.
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
  /// Memory that image data is written into.
  struct Written {
    c10::weak_intrusive_ptr<c10::StorageImpl> storage;
    /// Number of writes.
    int version = 0;
    /// Undefined where nobody has it, and then `value` means nothing.
    at::Tensor whole;
    ir::ValueId value = -1;
    /// Writes since `value` was made, oldest first: what was written, and where.
    std::vector<std::pair<at::Tensor, ir::ValueId>> pending;
  };

  const Held* find(const at::Tensor& tensor) const;
  Written* written(const at::Tensor& tensor);
  int version_of(const at::Tensor& tensor) const;
  bool is_current(const at::Tensor& tensor) const;
  ir::ValueId append_flat(ir::ValueId value, const at::Tensor& whole);
  ir::ValueId append_shaped(ir::ValueId flat, const at::Tensor& whole);
  void finish_writes(Written& memory);
  ir::ValueId append_write(const Written& memory, const at::Tensor& part, ir::ValueId value);
  ir::ValueId append_part(const Written& memory, const at::Tensor& part);
  void check_numbers(const ir::Parameter& parameter, const at::Tensor& tensor) const;
  ir::ValueId append_constant(const at::Tensor& tensor);
  std::string wanted_name(const ir::Node& node, const Origin& origin) const;
  void name_nodes();

  /// "conv1.weight", or "weight of conv2d (aten::conv2d)" where the model has no name for it.
  std::string words_for(const std::string& name, const at::Tensor& tensor) const;

  const ModuleNames& names_;
  std::string operation_;
  std::function<void(ir::ValueId, const at::Tensor&)> seen_;
  ir::Graph graph_;
  std::vector<Origin> origins_;
  std::vector<ModuleCall> calls_;
  std::vector<size_t> open_calls_;
  std::unordered_map<const c10::TensorImpl*, Held> held_;
  std::unordered_map<const c10::StorageImpl*, Written> written_;
};

ir::Dims constant_dims(c10::IntArrayRef shape);

}  // namespace ptq::import
