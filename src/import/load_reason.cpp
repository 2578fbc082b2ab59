#include "import/load_reason.h"

#include <torch/version.h>

#include "base/first_sentence.h"

namespace ptq::import {
namespace {

const std::string kThisLibTorch = std::string("this LibTorch (") + TORCH_VERSION + ")";

/// What follows `mark` in `text`, up to a blank, a bracket or a full stop; empty without it.
std::string word_after(const std::string& text, const std::string& mark) {
  const size_t found = text.find(mark);
  if (found == std::string::npos) return {};
  const size_t begin = found + mark.size();
  const std::string rest = text.substr(begin);
  return rest.substr(0, rest.find_first_of(" (.\n"));
}

}  // namespace

std::string load_reason(const std::exception& error) {
  const std::string text = error.what(), sentence = first_sentence(error);
  if (const std::string name = word_after(text, "Unknown builtin op: "); !name.empty()) {
    const bool is_own = name.rfind("aten::", 0) == 0 || name.rfind("prim::", 0) == 0;
    return "it uses the operator " + name + ", which " + kThisLibTorch + " does not have; " +
           (is_own ? "a newer LibTorch wrote it" : "an extension of LibTorch has it");
  }
  if (sentence.rfind("Arguments for call are not valid", 0) == 0) {
    return "it calls " + word_after(text, "The following variants are available:\n  \n  ") +
           " with arguments that " + kThisLibTorch + " does not take; a newer LibTorch wrote it";
  }
  if (sentence.find("required keyword attribute 'value' is undefined") != std::string::npos) {
    return "its constants are in oneDNN's own form, which torch.jit.optimize_for_inference makes "
           "and LibTorch cannot read back; save the model before that";
  }
  return sentence;
}

}  // namespace ptq::import
