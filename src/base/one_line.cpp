#include "base/one_line.h"

namespace ptq {
namespace {

constexpr size_t kLongest = 4000;
constexpr size_t kKeptAtEnd = 1000;

bool is_control(char c) {
  constexpr char kDelete = '\x7f';
  return (c >= 0 && c < ' ') || c == kDelete;
}

/// Not in the middle of a character of UTF-8.
size_t character_from(const std::string& text, size_t at) {
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) ++at;
  return at;
}

}  // namespace

std::string one_line(std::string text) {
  if (text.size() > kLongest) {
    const size_t begin = character_from(text, kLongest - kKeptAtEnd);
    const size_t end = character_from(text, text.size() - kKeptAtEnd);
    if (end > begin) text.replace(begin, end - begin, " ... ");
  }
  for (char& c : text) {
    if (is_control(c)) c = ' ';
  }
  return text;
}

}  // namespace ptq
