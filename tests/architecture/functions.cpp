#include "functions.h"

#include <algorithm>
#include <cctype>
#include <regex>

namespace ptq::testing {
namespace {

/// Comments, literals and preprocessor lines become blanks, so that their braces do not count.
/// Line breaks stay.
std::string without_literals(const std::string& text) {
  static const std::regex kLiteral(
      R"re(R"([A-Za-z]*)\((?:.|\n)*?\)\1"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'|//[^\n]*)re"
      R"re(|/\*(?:.|\n)*?\*/|#(?:\\\n|[^\n])*)re");
  std::string blank = text;
  for (std::sregex_iterator match(text.begin(), text.end(), kLiteral), end; match != end; ++match) {
    const auto begin = blank.begin() + match->position();
    std::replace_if(
        begin, begin + match->length(), [](char c) { return c != '\n'; }, ' ');
  }
  return blank;
}

enum class Block { kScope, kFunction, kInitializer };

/// What a brace opens after `head`, the text since the last statement or block.
Block block_after(const std::string& head) {
  static const std::regex kType("\\b(namespace|class|struct|union|enum|extern)\\b");
  const size_t last = head.find_last_not_of(" \n");
  if (last == std::string::npos) return Block::kInitializer;
  const bool touches = last + 1 == head.size();  // `member_{value}` in a list of initializers
  const char before = head[last];
  if (touches || before == '=' || before == ',' || before == '(') return Block::kInitializer;
  const bool has_arguments = head.find('(') != std::string::npos;
  if (std::regex_search(head, kType) && !has_arguments) return Block::kScope;
  return has_arguments ? Block::kFunction : Block::kInitializer;
}

class Reader {
 public:
  std::vector<Function> read(const std::string& text) {
    for (const char c : text) {
      take(c);
      if (c == '\n') ++line_;
    }
    return found_;
  }

 private:
  void take(char c) {
    if (c == '{') {
      open();
    } else if (c == '}') {
      close();
    } else if (c == ';') {
      head_.clear();
    } else {
      head_ += c;
    }
  }

  bool inside_function() const {
    return std::find(blocks_.begin(), blocks_.end(), Block::kFunction) != blocks_.end();
  }

  void open() {
    const Block block = inside_function() ? Block::kInitializer : block_after(head_);
    if (block == Block::kFunction) begin_ = line_;
    if (block != Block::kInitializer) head_.clear();
    blocks_.push_back(block);
  }

  void close() {
    if (blocks_.empty()) return;
    const Block block = blocks_.back();
    blocks_.pop_back();
    if (block == Block::kFunction) found_.push_back({begin_, line_ - begin_ + 1});
    if (block != Block::kInitializer) head_.clear();
  }

  std::vector<Block> blocks_;
  std::vector<Function> found_;
  std::string head_;
  int line_ = 1, begin_ = 0;
};

}  // namespace

std::vector<Function> functions(const std::string& text) {
  return Reader().read(without_literals(text));
}

}  // namespace ptq::testing
