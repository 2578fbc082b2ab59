#include "import/sampled_products.h"

#include <ATen/ops/empty_strided.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <unordered_map>

namespace ptq::import {
namespace {

constexpr int64_t kSums = 16;

/// The arguments that are multiplied, by name, and the dimension of the second that is summed over;
/// that of the first is its last.
struct Product {
  const char* left;
  const char* right;
  int64_t right_dim;
};

const Product* product(const std::string& name) {
  static const std::unordered_map<std::string, Product> products = {
      {"linear", {"input", "weight", -1}},
      {"addmm", {"mat1", "mat2", -2}},
      {"matmul", {"self", "other", -2}},
      {"mm", {"self", "mat2", -2}},
      {"bmm", {"self", "mat2", -2}}};
  const auto found = products.find(name);
  return found == products.end() ? nullptr : &found->second;
}

/// Ones and minus ones without a pattern, the same in every walk.
at::Tensor signs(int64_t count) {
  std::vector<float> values;
  uint64_t state = 1;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    values.push_back((state >> 63U) == 0 ? 1 : -1);
  }
  return at::tensor(values);
}

/// Neighbours along `dim` added up, with signs: every element counts, and the product of two such
/// sums has what the whole product has on average.
at::Tensor folded(const at::Tensor& tensor, int64_t dim) {
  const int64_t axis = dim < 0 ? dim + tensor.dim() : dim;
  const int64_t each = tensor.size(axis) / kSums, rest = tensor.size(axis) - each * kSums;
  std::vector<int64_t> shape(static_cast<size_t>(tensor.dim()) + 1, 1);
  shape[static_cast<size_t>(axis)] = kSums;
  shape[static_cast<size_t>(axis) + 1] = each;
  const at::Tensor sums = tensor.narrow(axis, 0, each * kSums)
                              .unflatten(axis, {kSums, each})
                              .mul(signs(each * kSums).view(shape))
                              .sum(axis + 1);
  if (rest > 0) sums.narrow(axis, 0, rest).add_(tensor.narrow(axis, each * kSums, rest));
  return sums;
}

size_t position(const Call& call, const char* argument) {
  return static_cast<size_t>(*call.schema->argumentIndexWithName(argument));
}

template <class Replace>
std::vector<c10::IValue> replaced(std::vector<c10::IValue> values, Replace replace) {
  for (c10::IValue& value : values) {
    if (value.isTensor()) value = replace(value.toTensor());
  }
  return values;
}

}  // namespace

std::optional<std::vector<c10::IValue>> sampled(const Call& call) {
  const Product* factors = product(call.name);
  if (factors == nullptr || is_in_place(*call.schema)) return std::nullopt;
  const at::Tensor left = call.tensor(factors->left), right = call.tensor(factors->right);
  if (left.dim() < 2 || right.dim() < 2 || !left.is_floating_point()) return std::nullopt;
  const int64_t extent = left.size(-1);
  if (extent < 2 * kSums || extent != right.size(factors->right_dim)) return std::nullopt;
  // Sums of both sides are larger than what they stand for.
  const double factor = std::sqrt(kSums / static_cast<double>(extent));
  std::vector<c10::IValue> arguments = call.arguments;
  arguments[position(call, factors->left)] = folded(left, -1).mul(factor);
  arguments[position(call, factors->right)] = folded(right, factors->right_dim);
  return arguments;
}

std::vector<c10::IValue> to_meta(std::vector<c10::IValue> values) {
  return replaced(std::move(values), [](const at::Tensor& tensor) {
    return at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options().device(at::kMeta));
  });
}

std::vector<c10::IValue> in_places_of(const std::vector<c10::IValue>& places,
                                      std::vector<c10::IValue> values) {
  auto place = places.begin();
  return replaced(std::move(values), [&](const at::Tensor& tensor) {
    const at::Tensor like = (place++)->toTensor();
    return at::empty_strided(like.sizes(), like.strides(), tensor.options()).copy_(tensor);
  });
}

}  // namespace ptq::import
