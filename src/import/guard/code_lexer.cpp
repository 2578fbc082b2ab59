#include "import/guard/code_lexer.h"

#include <algorithm>
#include <cctype>

namespace ptq::import {
namespace {

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

size_t count_while(std::string_view text, bool (*good)(char)) {
  return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), good) - text.begin());
}

/// 1.5e-3, 0x1F: the sign belongs to it after an exponent.
size_t number_size(std::string_view text) {
  size_t size = 0;
  while (size < text.size()) {
    const bool exponent = size > 0 && (text[size - 1] == 'e' || text[size - 1] == 'E');
    const bool sign = text[size] == '-' || text[size] == '+';
    if (!is_name(text[size]) && text[size] != '.' && !(exponent && sign)) break;
    ++size;
  }
  return size;
}

}  // namespace

void CodeLexer::skip_blanks() {
  while (!rest_.empty()) {
    const char c = rest_.front();
    if (c == '#') {
      rest_.remove_prefix(std::min(rest_.size(), rest_.find('\n')));
    } else if (c == '\\' && rest_.size() > 1 && rest_[1] == '\n') {
      rest_.remove_prefix(2);
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
      rest_.remove_prefix(1);
      if (at_line_start_) ++column_;
    } else {
      return;
    }
  }
}

/// As LibTorch's own lexer: one or three quotes, a backslash protects what follows.
size_t CodeLexer::text_size() const {
  const char quote = rest_.front();
  const bool triple = rest_.size() >= 3 && rest_[1] == quote && rest_[2] == quote;
  const std::string_view end(rest_.data(), triple ? 3 : 1);
  size_t at = end.size();
  while (at < rest_.size() && rest_.substr(at, end.size()) != end) {
    if (rest_[at] == '\\') ++at;
    ++at;
  }
  return std::min(rest_.size(), at + end.size());
}

Token CodeLexer::take(Token::Kind kind, size_t size) {
  const Token token{kind, rest_.substr(0, size), column_};
  rest_.remove_prefix(size);
  at_line_start_ = kind == Token::Kind::kLineEnd;
  if (at_line_start_) column_ = 0;
  return token;
}

Token CodeLexer::next() {
  skip_blanks();
  if (rest_.empty()) return {};
  const char c = rest_.front();
  if (c == '\n') return take(Token::Kind::kLineEnd, 1);
  if (c == '"' || c == '\'') return take(Token::Kind::kText, text_size());
  const bool fraction = c == '.' && rest_.size() > 1 && is_digit(rest_[1]);
  if (is_digit(c) || fraction) return take(Token::Kind::kNumber, number_size(rest_));
  if (is_name(c)) return take(Token::Kind::kName, count_while(rest_, is_name));
  return take(Token::Kind::kSign, 1);
}

}  // namespace ptq::import
