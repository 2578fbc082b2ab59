#include "eval/exact_operands.h"

#include "ir/domains.h"

namespace ptq::eval {

std::string exact_operands(const ir::Graph& graph) {
  ir::Graph copy = graph;
  std::string names;
  for (const ir::Node* node : ir::functions_with_domain(ir::Index(copy), copy)) {
    names += (names.empty() ? "" : ", ") + node->name + " (" + node->as<ir::Opaque>()->schema + ")";
  }
  if (names.empty()) return "";
  return "computed from values that are not rounded, as these functions do not take all numbers: " +
         names;
}

}  // namespace ptq::eval
