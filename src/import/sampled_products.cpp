#include "import/sampled_products.h"

#include <ATen/ops/empty_strided.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <unordered_map>

namespace ptq::import {
namespace {

constexpr int64_t kSample = 16;

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

/// Some of 0 ... `extent` - 1, at irregular distances: images that alternate are all met.
at::Tensor sample_of(int64_t extent) {
  std::vector<int64_t> indices;
  uint64_t state = 1;
  for (int64_t i = 0; i < kSample; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const int64_t first = i * extent / kSample, next = (i + 1) * extent / kSample;
    indices.push_back(first +
                      static_cast<int64_t>((state >> 33U) % static_cast<uint64_t>(next - first)));
  }
  return at::tensor(indices);
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
  if (left.dim() < 2 || right.dim() < 2 || left.size(-1) < 2 * kSample) return std::nullopt;
  if (left.size(-1) != right.size(factors->right_dim)) return std::nullopt;
  const at::Tensor indices = sample_of(left.size(-1));
  const double factor = std::sqrt(static_cast<double>(left.size(-1)) / kSample);
  std::vector<c10::IValue> arguments = call.arguments;
  arguments[position(call, factors->left)] = left.index_select(-1, indices).mul(factor);
  arguments[position(call, factors->right)] = right.index_select(factors->right_dim, indices);
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
