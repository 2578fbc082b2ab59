#include <algorithm>
#include <optional>
#include <string_view>

#include "import/lowerings.h"
#include "import/step_writer.h"

namespace ptq::import {
namespace {

/// The letters of "bij,bjk->bik".
struct Equation {
  std::string left, right, result;
};

/// The result of an equation without an arrow: what stands in it once, in order.
std::string implied_result(const Equation& equation) {
  std::string letters = equation.left + equation.right, result;
  if (letters.find('.') != std::string::npos) result = "...";
  std::sort(letters.begin(), letters.end());
  for (const char letter : letters) {
    const bool once = std::count(letters.begin(), letters.end(), letter) == 1;
    if (letter != '.' && once) result += letter;
  }
  return result;
}

std::optional<Equation> parse(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  const size_t comma = text.find(',');
  const size_t arrow = std::min(text.find("->"), text.size());
  if (comma == std::string::npos || arrow < comma ||
      text.find(',', comma + 1) != std::string::npos) {
    return std::nullopt;
  }
  Equation equation{text.substr(0, comma), text.substr(comma + 1, arrow - comma - 1), {}};
  equation.result = arrow == text.size() ? implied_result(equation) : text.substr(arrow + 2);
  return equation;
}

constexpr std::string_view kDots = "...";

/// How many dimensions "..." stands for.
size_t dimensions_of_dots(const std::string& letters, const at::Tensor& operand) {
  const auto rank = static_cast<size_t>(operand.dim());
  return letters.find(kDots) == std::string::npos ? 0 : rank + kDots.size() - letters.size();
}

void replace_dots(std::string& letters, const std::string& names) {
  const size_t dots = letters.find(kDots);
  if (dots != std::string::npos) letters.replace(dots, kDots.size(), names);
}

/// "..." as letters that no equation uses, the same from the last dimension on. Nothing if there
/// are not enough of them.
std::optional<Equation> with_dots_named(Equation equation, const at::Tensor& left,
                                        const at::Tensor& right) {
  static const std::string names = "0123456789";
  const size_t of_left = dimensions_of_dots(equation.left, left);
  const size_t of_right = dimensions_of_dots(equation.right, right);
  if (std::max(of_left, of_right) > names.size()) return std::nullopt;
  replace_dots(equation.left, names.substr(names.size() - of_left));
  replace_dots(equation.right, names.substr(names.size() - of_right));
  replace_dots(equation.result, names.substr(names.size() - std::max(of_left, of_right)));
  return equation;
}

/// Whether a letter means one extent in both operands, and not 1 in one that is repeated.
bool same_extents(const Equation& equation, const at::Tensor& left, const at::Tensor& right) {
  for (size_t i = 0; i < equation.left.size(); ++i) {
    const size_t other = equation.right.find(equation.left[i]);
    if (other == std::string::npos) continue;
    if (left.size(static_cast<int64_t>(i)) != right.size(static_cast<int64_t>(other))) return false;
  }
  return true;
}

/// The equation of two operands, with a letter for each of their dimensions.
std::optional<Equation> equation_of(const Call& call, const std::vector<at::Tensor>& operands) {
  if (operands.size() != 2) return std::nullopt;
  auto equation = parse(call.argument("equation").toStringRef());
  if (equation) equation = with_dots_named(*equation, operands[0], operands[1]);
  const bool fits = equation && same_extents(*equation, operands[0], operands[1]);
  return fits ? equation : std::nullopt;
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

/// `letters` without those of `others`.
std::string without(const std::string& letters, const std::string& others) {
  std::string rest;
  for (const char letter : letters) {
    if (others.find(letter) == std::string::npos) rest += letter;
  }
  return rest;
}

/// A sum over activations and a weight that is a linear layer: every letter of the weight is either
/// summed over or new.
struct WeightedSum {
  /// Letters of the activations that stay, that are summed over, and that the weight brings.
  std::string kept, summed, made;
};

std::optional<WeightedSum> weighted_sum(const std::string& activations, const std::string& weight,
                                        const std::string& result) {
  WeightedSum sum;
  sum.kept = without(activations, weight);
  sum.summed = without(activations, sum.kept);
  sum.made = without(weight, activations);
  const std::string wanted = sum.kept + sum.made;
  const bool fits = !sum.summed.empty() && sum.summed.find_first_of(result) == std::string::npos &&
                    wanted.size() == result.size() && without(result, wanted).empty();
  return fits ? std::optional(sum) : std::nullopt;
}

int64_t extent_of(const at::Tensor& tensor, const ir::Ints& dims) {
  int64_t extent = 1;
  for (const int64_t dim : dims) extent *= tensor.size(dim);
  return extent;
}

ir::Ints extents(const at::Tensor& tensor, const ir::Ints& dims) {
  ir::Ints list;
  for (const int64_t dim : dims) list.push_back(tensor.size(dim));
  return list;
}

StepWriter::Step reordered(StepWriter& write, const StepWriter::Step& x, const ir::Ints& dims) {
  return std::is_sorted(dims.begin(), dims.end()) ? x : write.permute(x, dims);
}

Lowered lower_weighted_sum(Recorder& recorder, const at::Tensor& activations,
                           const at::Tensor& weight, const Equation& equation) {
  const auto sum = weighted_sum(equation.left, equation.right, equation.result);
  if (!sum) return {};
  const auto order = dims_between(equation.left, sum->kept + sum->summed);
  const auto kept = dims_between(equation.left, sum->kept);
  const auto rows = dims_between(equation.right, sum->made);
  const auto matrix = dims_between(equation.right, sum->made + sum->summed);
  const auto turned = dims_between(sum->kept + sum->made, equation.result);
  if (!order || !kept || !rows || !matrix || !turned) return {};
  StepWriter write(recorder);
  StepWriter::Step x = reordered(write, write.start(activations), *order);
  const int64_t outputs = extent_of(weight, *rows), inputs = weight.numel() / outputs;
  ir::Ints shape = extents(activations, *kept);
  shape.push_back(inputs);
  if (x.shape != shape) x = write.reshape(x, shape);
  x = write.linear(x, weight.permute(*matrix).reshape({outputs, inputs}), {});
  ir::Ints apart = extents(activations, *kept);
  for (const int64_t extent : extents(weight, *rows)) apart.push_back(extent);
  if (x.shape != apart) x = write.reshape(x, apart);
  return {reordered(write, x, *turned).value};
}

/// A sum of two operands that is one matrix product, as in MaxViT's attention, or a linear layer.
Lowered lower_sum(const Call& call, Recorder& recorder, const std::vector<at::Tensor>& operands,
                  const Equation& equation) {
  if (recorder.follows(operands[0]) != recorder.follows(operands[1])) {
    const bool swapped = recorder.follows(operands[1]);
    const Equation sorted =
        swapped ? Equation{equation.right, equation.left, equation.result} : equation;
    const Lowered linear =
        lower_weighted_sum(recorder, operands[swapped ? 1 : 0], operands[swapped ? 0 : 1], sorted);
    if (!linear.empty()) return linear;
  }
  const auto order = product_order(equation);
  if (!order) return {};
  const auto left = dims_between(equation.left, order->left);
  const auto right = dims_between(equation.right, order->right);
  if (!left || !right) return {};
  const ir::ValueId a = permuted(recorder, operands[0], *left);
  const ir::ValueId b = permuted(recorder, operands[1], *right);
  return {recorder.append(ir::MatMul{}, {a, b}, call.result().sizes(), call.name)};
}

Lowered lower_einsum(const Call& call, Recorder& recorder) {
  std::vector<at::Tensor> operands;
  collect_tensors(call.argument("tensors"), operands);
  const auto equation = equation_of(call, operands);
  return equation ? lower_sum(call, recorder, operands, *equation) : Lowered{};
}

/// `count` letters from `first` on.
std::string letters_from(char first, int64_t count) {
  std::string letters;
  for (int64_t i = 0; i < count; ++i) letters += static_cast<char>(first + i);
  return letters;
}

Lowered lower_tensordot(const Call& call, Recorder& recorder) {
  const std::vector<at::Tensor> operands = {call.tensor("self"), call.tensor("other")};
  const ir::Ints of_self = call.integers("dims_self"), of_other = call.integers("dims_other");
  Equation equation{letters_from('a', operands[0].dim()), letters_from('A', operands[1].dim()), {}};
  for (size_t i = 0; i < of_self.size(); ++i) {
    const auto from = static_cast<size_t>(from_front(of_self[i], operands[0].dim()));
    const auto to = static_cast<size_t>(from_front(of_other[i], operands[1].dim()));
    equation.right[to] = equation.left[from];
  }
  equation.result = without(equation.left, equation.right) + without(equation.right, equation.left);
  const bool fits = same_extents(equation, operands[0], operands[1]);
  return fits ? lower_sum(call, recorder, operands, equation) : Lowered{};
}

/// The sum over i and j of a[i] weight[o, i, j] b[j]: a linear layer of all products a[i] b[j].
Lowered lower_bilinear(const Call& call, Recorder& recorder) {
  const at::Tensor weight = call.tensor("weight"), bias = call.optional_tensor("bias");
  if (recorder.follows(weight) || recorder.follows(bias)) return {};
  StepWriter write(recorder);
  const StepWriter::Step a = write.start(call.tensor("input1"));
  const StepWriter::Step b = write.start(call.tensor("input2"));
  ir::Ints column = a.shape, row = b.shape, products = a.shape;
  column.push_back(1);
  row.insert(row.end() - 1, 1);
  products.back() *= b.shape.back();
  const StepWriter::Step outer = write.mul(write.reshape(a, column), write.reshape(b, row));
  return {write.linear(write.reshape(outer, products), weight.flatten(1), bias).value};
}

}  // namespace

void add_einsum_lowerings(LoweringTable& table) {
  table["einsum"] = lower_einsum;
  table["tensordot"] = lower_tensordot;
  table["bilinear"] = lower_bilinear;
}

}  // namespace ptq::import
