#include "import/guard/operators.h"

#include <torch/csrc/jit/runtime/operator.h>

#include <sstream>
#include <string>
#include <unordered_set>

#include "import/guard/operator_names.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

std::unordered_set<std::string> words(const char* text) {
  std::unordered_set<std::string> set;
  std::istringstream stream{std::string(text)};
  for (std::string word; stream >> word;) set.insert(word);
  return set;
}

}  // namespace

bool is_allowed_operator(std::string_view name) {
  static const std::unordered_set<std::string> kAten = words(kAtenOperators);
  static const std::unordered_set<std::string> kPrim = words(kPrimOperators);
  const std::string word(name);
  return kAten.count(word) > 0 || kPrim.count(word) > 0;
}

bool is_operator(std::string_view name) {
  const std::string word(name);
  for (const char* library : {"aten::", "prim::"}) {
    if (!torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString(library + word)).empty()) {
      return true;
    }
  }
  return false;
}

void check_operator(c10::Symbol kind) {
  const char* name = kind.toUnqualString();
  if ((kind.is_aten() || kind.is_prim()) && is_allowed_operator(name)) return;
  // Nodes of the language itself have no operator behind their name.
  if (kind.is_prim() && !is_operator(name)) return;
  throw ImportError(std::string("uses the operator ") + kind.toQualString() +
                    ", which is not one that a model file may use; --trust-model allows it");
}

}  // namespace ptq::import
