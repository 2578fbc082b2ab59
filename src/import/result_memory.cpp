#include "import/result_memory.h"

#include <string>
#include <unordered_set>

namespace ptq::import {

void settle_memory(const Call& call, std::vector<c10::IValue>& results) {
  using Names = std::unordered_set<std::string>;
  static const Names unset = {"empty", "empty_like", "empty_strided", "new_empty",
                              "new_empty_strided"};
  static const Names parts = {"unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes"};
  // Whatever lies in it may be read: a model that writes into all of it has nothing to hide, and
  // one that does not is at least the same every time.
  if (unset.count(call.name) > 0) results.front().toTensor().zero_();
  if (parts.count(call.name) == 0) return;
  c10::List<at::Tensor> own;
  for (const at::Tensor& part : results.front().toTensorVector()) own.push_back(part.clone());
  results.front() = own;
}

}  // namespace ptq::import
