#include "eval/exact_operands.h"

#include "ir/coordinates.h"
#include "ir/domains.h"

namespace ptq::eval {
namespace {

std::string names_of(const std::vector<const ir::Node*>& nodes) {
  std::string names;
  for (const ir::Node* node : nodes) {
    names += (names.empty() ? "" : ", ") + node->name + " (" + node->as<ir::Opaque>()->schema + ")";
  }
  return names;
}

}  // namespace

std::vector<std::string> exact_operands(const ir::Graph& graph) {
  ir::Graph copy = graph;
  const ir::Index index(copy);
  std::vector<std::string> lines;
  if (const std::string names = names_of(ir::functions_with_domain(index, copy)); !names.empty()) {
    lines.push_back(
        "computed from values that are not rounded, as these functions do not take all numbers: " +
        names);
  }
  if (const std::string names = names_of(ir::readers_of_places(index, copy)); !names.empty()) {
    lines.push_back("read at places that are not rounded, as coordinates are no activations: " +
                    names);
  }
  return lines;
}

}  // namespace ptq::eval
