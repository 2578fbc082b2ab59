#pragma once

#include <string_view>

namespace ptq::import {

struct Token {
  enum class Kind { kName, kText, kNumber, kSign, kLineEnd, kEnd };
  Kind kind = Kind::kEnd;
  std::string_view text = {};
  /// Blanks that its line begins with.
  int indentation = 0;

  bool is(std::string_view word) const { return kind != Kind::kText && text == word; }
};

/// The tokens of serialized TorchScript, which is Python's syntax. Line ends within brackets are
/// tokens too; the reader counts brackets itself.
class CodeLexer {
 public:
  explicit CodeLexer(std::string_view code) : rest_(code) {}
  Token next();

 private:
  void skip_blanks();
  size_t text_size() const;
  Token take(Token::Kind kind, size_t size);

  std::string_view rest_;
  int column_ = 0;
  bool at_line_start_ = true;
};

}  // namespace ptq::import
