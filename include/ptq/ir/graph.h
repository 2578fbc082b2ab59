#pragma once

#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "ptq/ir/op.h"

namespace ptq::ir {

/// Index into Graph::values.
using ValueId = int;

/// One activation. `shape` was seen at import; extents that grow with the batch are marked.
struct Value {
  std::string name;
  Dims shape;
};

/// One step of the network. `name` is unique in its graph: the dotted module name
/// (`layer1.0.conv1`), or module and operation (`layer1.0.add`) where the module has no name for
/// it. `module` is the module whose code ran it.
struct Node {
  std::string name;
  std::string module;
  Op op;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;

  // In one source file, so that not every file that holds a graph compiles them: they are long, as
  // there are many operations.
  Node();
  Node(std::string node_name, std::string module_name, Op operation, std::vector<ValueId> read,
       std::vector<ValueId> made);
  Node(const Node&);
  Node(Node&&) noexcept;
  Node& operator=(const Node&);
  Node& operator=(Node&&) noexcept;
  ~Node();

  template <class T>
  bool is() const {
    return std::holds_alternative<T>(op);
  }
  template <class T>
  T* as() {
    return std::get_if<T>(&op);
  }
  template <class T>
  const T* as() const {
    return std::get_if<T>(&op);
  }
  ValueId output() const { return outputs.front(); }
};

/// A network with one image input [N, 3, H, W] and one output [N, classes]. `nodes` stand in
/// execution order; a list, so that a Node* stays good while others are inserted or erased.
/// Copying a graph copies nodes and shares tensors.
struct Graph {
  using Nodes = std::list<Node>;
  using Position = Nodes::iterator;

  Nodes nodes;
  std::vector<Value> values;
  ValueId input = 0;
  ValueId output = 0;

  ValueId add_value(std::string name, Dims shape = {});

  /// A name that no node has yet: `wanted`, or `wanted_1`, `wanted_2`, ...
  std::string unique_name(const std::string& wanted) const;

  /// Inserts before `where`; creates the node's single output with the shape given.
  Node& insert(Position where, Node node, Dims output_shape);

  /// Makes every reader of `from` (and the graph output) read `to`, except nodes in `except`.
  void replace_uses(ValueId from, ValueId to, const std::vector<const Node*>& except = {});
};

/// Producers and users of a graph as it is now; stale after any change.
class Index {
 public:
  explicit Index(Graph& graph);

  /// nullptr for the graph input.
  Node* producer(ValueId value) const { return producers_[static_cast<size_t>(value)]; }
  /// One entry a use: a node that reads a value twice stands there twice.
  const std::vector<Node*>& users(ValueId value) const {
    return users_[static_cast<size_t>(value)];
  }
  bool is_graph_output(ValueId value) const { return value == output_; }
  Graph::Position position(const Node& node) const { return positions_.at(&node); }

 private:
  std::vector<Node*> producers_;
  std::vector<std::vector<Node*>> users_;
  std::unordered_map<const Node*, Graph::Position> positions_;
  ValueId output_;
};

/// Erases nodes whose outputs nobody reads.
void remove_dead_nodes(Graph& graph);

/// Throws InternalError naming the node unless every value is produced once, before it is read,
/// names are unique, and the output is produced. Runs after every pass.
void verify(const Graph& graph);

/// Canonical text, one node a line: `%7 = conv[stride=[2, 2], ...] features.0 (%3)`.
std::string to_text(const Graph& graph);

}  // namespace ptq::ir
