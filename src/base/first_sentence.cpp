#include "base/first_sentence.h"

#include <c10/util/Exception.h>

#include <string>

namespace ptq {
namespace {

/// What stands before a source excerpt or another sentence: "found ':' here:".
std::string without_ending(std::string line) {
  const auto cut = [&](const std::string& end) {
    const bool ends =
        line.size() > end.size() && line.compare(line.size() - end.size(), end.size(), end) == 0;
    if (ends) line.resize(line.size() - end.size());
    return ends;
  };
  while (cut(".") || cut(":") || cut(" ") || cut(" here")) {
  }
  return line;
}

}  // namespace

std::string first_sentence(const std::exception& error) {
  const auto* from_torch = dynamic_cast<const c10::Error*>(&error);
  const std::string text = from_torch ? from_torch->what_without_backtrace() : error.what();
  const size_t begin = text.find_first_not_of(" \n");
  if (begin == std::string::npos) return "no reason given";
  return without_ending(text.substr(begin, text.find('\n', begin) - begin));
}

}  // namespace ptq
