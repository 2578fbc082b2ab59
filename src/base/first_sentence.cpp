#include "base/first_sentence.h"

#include <c10/util/Exception.h>

namespace ptq {

std::string first_sentence(const std::exception& error) {
  const auto* from_torch = dynamic_cast<const c10::Error*>(&error);
  const std::string text = from_torch ? from_torch->what_without_backtrace() : error.what();
  const size_t begin = text.find_first_not_of(" \n");
  if (begin == std::string::npos) return "no reason given";
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace ptq
