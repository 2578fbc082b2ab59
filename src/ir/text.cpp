#include <sstream>

#include "ir/exact_text.h"
#include "ptq/ir/graph.h"

namespace ptq::ir {
namespace {

void print(std::ostream& out, bool value) { out << (value ? "true" : "false"); }
void print(std::ostream& out, int value) { out << value; }
void print(std::ostream& out, int64_t value) { out << value; }
void print(std::ostream& out, double value) { out << value; }
void print(std::ostream& out, const std::string& value) { out << value; }
void print(std::ostream& out, const Dim& dim) {
  if (!dim.times_batch) {
    out << dim.value;
  } else if (dim.value == 1) {
    out << "N";
  } else {
    out << dim.value << "N";
  }
}
void print(std::ostream& out, const InputRef& input) { out << "#" << input.index; }
void print(std::ostream& out, const std::monostate&) { out << "none"; }
void print(std::ostream& out, const at::Tensor& tensor) { out << "tensor" << tensor.sizes(); }
void print(std::ostream& out, const Argument& argument);

template <class T>
void print(std::ostream& out, const std::vector<T>& list) {
  out << "[";
  for (size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out << ", ";
    print(out, static_cast<const T&>(list[i]));
  }
  out << "]";
}

void print(std::ostream& out, const InputRefs& inputs) {
  out << "#";
  print(out, inputs.indices);
}

template <class T>
void print(std::ostream& out, const std::optional<T>& value) {
  if (value) {
    print(out, *value);
  } else {
    out << "none";
  }
}

void print(std::ostream& out, const Argument& argument) {
  std::visit([&](const auto& typed) { print(out, typed); }, argument);
}

void print_quantizers(std::ostream& out, const Weighted* layer) {
  if (layer == nullptr || layer->weight_quantizer == kNoQuantizer) return;
  out << " {weight: q" << layer->weight_quantizer;
  if (layer->bias_quantizer != kNoQuantizer) out << ", bias: q" << layer->bias_quantizer;
  out << "}";
}

void print_attributes(std::ostream& out, const Op& op) {
  bool any = false;
  const auto attribute = [&](const char* name, const auto& value) {
    out << (any ? ", " : "[") << name << "=";
    print(out, value);
    any = true;
  };
  std::visit(
      [&](const auto& typed) { std::decay_t<decltype(typed)>::attributes(typed, attribute); }, op);
  if (any) out << "]";
}

void print_node(std::ostream& out, const Node& node) {
  out << "%" << node.output() << " = " << op_name(node.op);
  print_attributes(out, node.op);
  print_quantizers(out, weighted(node.op));
  out << " " << node.name << " (";
  for (size_t i = 0; i < node.inputs.size(); ++i) out << (i > 0 ? ", %" : "%") << node.inputs[i];
  out << ")\n";
}

void print_graph(std::ostream& out, const Graph& graph) {
  out << "input %" << graph.input << "\n";
  for (const Node& node : graph.nodes) print_node(out, node);
  out << "output %" << graph.output << "\n";
}

}  // namespace

std::string to_text(const Graph& graph) {
  std::ostringstream out;
  print_graph(out, graph);
  return out.str();
}

std::string exact_text(const Graph& graph) {
  std::ostringstream out;
  out << std::hexfloat;
  print_graph(out, graph);
  for (const Value& value : graph.values) print(out, value.shape);
  return out.str();
}

}  // namespace ptq::ir
