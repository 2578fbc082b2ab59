#include <algorithm>
#include <optional>

#include "import/lowerings.h"

namespace ptq::import {
namespace {

/// The letters of "bij,bjk->bik".
struct Equation {
  std::string left, right, result;
};

std::optional<Equation> parse(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  const size_t comma = text.find(',');
  const size_t arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || arrow < comma ||
      text.find(',', comma + 1) != std::string::npos || text.find('.') != std::string::npos) {
    return std::nullopt;
  }
  return Equation{text.substr(0, comma), text.substr(comma + 1, arrow - comma - 1),
                  text.substr(arrow + 2)};
}

/// The letters an operand must have, in order, for the equation to be a matrix product:
/// result = batch + row + column, left = batch + row + sum, right = batch + sum + column.
struct ProductOrder {
  std::string left, right;
};

std::optional<ProductOrder> product_order(const Equation& equation) {
  const size_t rank = equation.result.size();
  if (rank < 2 || equation.left.size() != rank || equation.right.size() != rank) {
    return std::nullopt;
  }
  const size_t sum = equation.left.find_first_not_of(equation.result);
  if (sum == std::string::npos) return std::nullopt;
  const std::string batch = equation.result.substr(0, rank - 2);
  return ProductOrder{batch + equation.result[rank - 2] + equation.left[sum],
                      batch + equation.left[sum] + equation.result[rank - 1]};
}

/// Dimensions that bring `letters` into the order of `wanted`; nothing if the letters differ.
std::optional<ir::Ints> dims_between(const std::string& letters, const std::string& wanted) {
  ir::Ints dims;
  for (const char letter : wanted) {
    const size_t at = letters.find(letter);
    if (at == std::string::npos || letters.find(letter, at + 1) != std::string::npos) {
      return std::nullopt;
    }
    dims.push_back(static_cast<int64_t>(at));
  }
  return dims;
}

ir::ValueId permuted(Recorder& recorder, const at::Tensor& tensor, const ir::Ints& dims) {
  const ir::ValueId value = recorder.read(tensor);
  if (std::is_sorted(dims.begin(), dims.end())) return value;
  return recorder.append(ir::Permute{dims}, {value}, tensor.permute(dims).sizes(), "transpose");
}

/// Einstein sums that are one matrix product, as MaxViT's attention writes them.
Lowered lower_einsum(const Call& call, Recorder& recorder) {
  std::vector<at::Tensor> operands;
  collect_tensors(call.argument("tensors"), operands);
  const auto equation = parse(call.argument("equation").toStringRef());
  const auto order = equation ? product_order(*equation) : std::nullopt;
  if (!order || operands.size() != 2) return {};
  const auto left = dims_between(equation->left, order->left);
  const auto right = dims_between(equation->right, order->right);
  if (!left || !right) return {};
  const ir::ValueId a = permuted(recorder, operands[0], *left);
  const ir::ValueId b = permuted(recorder, operands[1], *right);
  return {recorder.append(ir::MatMul{}, {a, b}, call.result().sizes(), call.name)};
}

}  // namespace

void add_einsum_lowerings(LoweringTable& table) { table["einsum"] = lower_einsum; }

}  // namespace ptq::import
