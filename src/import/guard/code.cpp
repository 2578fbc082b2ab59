#include "import/guard/code.h"

#include <unordered_set>
#include <vector>

#include "import/guard/code_lexer.h"
#include "import/guard/directory.h"
#include "import/guard/operators.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

constexpr size_t kDeepestBrackets = 128;
constexpr int kDeepestIndentation = 200;
constexpr int kMostBranches = 256;
/// Tokens between two commas or brackets of one level: each may be a level of the syntax tree.
constexpr int kLongestElement = 512;

using Kind = Token::Kind;

ImportError untrusted(const std::string& name, const std::string& what) {
  return ImportError("cannot be trusted: its " + name + " " + what);
}

/// How deep the parser has to go.
class DepthCheck {
 public:
  explicit DepthCheck(const std::string& name) : name_(name), elements_(1, 0) {}

  void see(const Token& token) {
    if (token.kind == Kind::kLineEnd) {
      if (elements_.size() == 1) elements_.back() = 0;
      return;
    }
    if (token.is(")") || token.is("]") || token.is("}")) {
      if (elements_.size() > 1) elements_.pop_back();
    }
    elements_.back() = token.is(",") ? 0 : elements_.back() + 1;
    if (token.is("(") || token.is("[") || token.is("{")) elements_.push_back(0);
    if (token.is("elif")) ++branches_;
    const bool good = elements_.size() <= kDeepestBrackets && elements_.back() <= kLongestElement &&
                      token.indentation <= kDeepestIndentation && branches_ <= kMostBranches;
    if (!good) throw untrusted(name_, "nests expressions or blocks deeper than any network's code");
  }

 private:
  const std::string& name_;
  std::vector<int> elements_;
  int branches_ = 0;
};

/// What a file declares (attributes, methods), and whether `self` is always the module.
struct Declared {
  std::unordered_set<std::string_view> names;
  bool self_is_module = true;
};

Declared declared_in(const std::vector<Token>& tokens) {
  Declared declared;
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i].kind != Kind::kName) continue;
    const bool line_start = i == 0 || tokens[i - 1].kind == Kind::kLineEnd;
    const bool attribute = line_start && tokens[i + 1].is(":");
    const bool method = i > 0 && tokens[i - 1].is("def");
    if (attribute || method) declared.names.insert(tokens[i].text);
    const bool self = tokens[i].is("self");
    if (self && !tokens[i + 1].is(".") && !tokens[i + 1].is(":")) declared.self_is_module = false;
  }
  return declared;
}

/// Every way of naming an operator: torch.f, ops.aten.f, x.f, getattr(x, "f").
class OperatorCheck {
 public:
  OperatorCheck(const std::vector<Token>& tokens, const std::string& name)
      : tokens_(tokens), name_(name), declared_(declared_in(tokens)) {}

  void run() {
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_[i].kind == Kind::kName) check_name(i);
    }
  }

 private:
  const Token& at(size_t index) const {
    static const Token kNone;
    return index < tokens_.size() ? tokens_[index] : kNone;
  }
  bool follows(size_t index, std::string_view word) const {
    return index > 0 && at(index - 1).is(word);
  }

  /// Begins `package.of.file`: a chain of names that only the file itself can answer.
  bool in_package(size_t index) const {
    while (index >= 2 && at(index - 1).is(".") && at(index - 2).kind == Kind::kName) index -= 2;
    return at(index).is("__torch__") && !follows(index, ".");
  }

  bool own_attribute(size_t index) const {
    return declared_.self_is_module && index >= 2 && at(index - 2).is("self") &&
           !follows(index - 2, ".") && declared_.names.count(at(index).text) > 0;
  }

  void check_name(size_t index) const {
    const Token& token = at(index);
    if (follows(index, ".")) {
      check_attribute(index);
    } else if (token.is("getattr")) {
      check_getattr(index);
    } else if (token.is("torch") || token.is("ops")) {
      check_root(index);
    } else if (token.is("__torch__") && at(index + 2).is("torch") && at(index + 4).is("classes")) {
      throw untrusted(name_, "uses classes of LibTorch itself; --trust-model allows it");
    }
  }

  void check_attribute(size_t index) const {
    if (in_package(index) || own_attribute(index)) return;
    check_operator(at(index).text);
  }

  void check_operator(std::string_view word) const {
    if (!is_operator(word) || is_allowed_operator(word)) return;
    if (word == "to_mkldnn" || word.rfind("mkldnn_", 0) == 0) {
      throw ImportError("its " + name_ + " uses " + in_quotes(word) +
                        ", which torch.jit.optimize_for_inference writes and LibTorch cannot read "
                        "back; save the model before that");
    }
    throw untrusted(name_, "uses the operator " + in_quotes(word) +
                               ", which is not one that a model file may use; --trust-model "
                               "allows it");
  }

  /// A module of operators under another name could not be followed.
  void check_root(size_t index) const {
    const bool declares =
        at(index + 1).is(":") || (at(index + 1).is("=") && !at(index + 2).is("="));
    if (declares) return;
    if (!at(index + 1).is("."))
      throw untrusted(name_, "hands " + in_quotes(at(index).text) + " on");
    const bool known = at(index + 2).is("aten") || at(index + 2).is("prim");
    if (!at(index).is("ops") || known) return;
    throw untrusted(name_, "uses operators of the library " + in_quotes(at(index + 2).text) +
                               "; --trust-model allows it");
  }

  /// getattr(EXPRESSION, "name"): the text must be one plain word.
  void check_getattr(size_t index) const {
    size_t depth = 0;
    for (size_t i = index + 1; i < tokens_.size(); ++i) {
      if (at(i).is("(") || at(i).is("[") || at(i).is("{")) ++depth;
      if (at(i).is(")") || at(i).is("]") || at(i).is("}")) --depth;
      if (depth == 0) break;
      if (depth != 1 || !at(i).is(",")) continue;
      const Token& text = at(i + 1);
      const bool plain = text.kind == Kind::kText && text.text.size() >= 2 &&
                         (at(i + 2).is(")") || at(i + 2).is(",")) &&
                         text.text.find('\\') == std::string_view::npos;
      if (!plain) break;
      return check_operator(text.text.substr(1, text.text.size() - 2));
    }
    throw untrusted(name_, "reads an attribute without saying which");
  }

  const std::vector<Token>& tokens_;
  const std::string& name_;
  const Declared declared_;
};

}  // namespace

void check_code(std::string_view code, const std::string& name, bool any_operator) {
  DepthCheck depth(name);
  std::vector<Token> tokens;
  CodeLexer lexer(code);
  int brackets = 0;
  for (Token token = lexer.next(); token.kind != Kind::kEnd; token = lexer.next()) {
    depth.see(token);
    if (token.is("(") || token.is("[") || token.is("{")) ++brackets;
    if (token.is(")") || token.is("]") || token.is("}")) --brackets;
    // Within brackets a line goes on.
    if (token.kind != Kind::kLineEnd || brackets <= 0) tokens.push_back(token);
  }
  if (!any_operator) OperatorCheck(tokens, name).run();
}

}  // namespace ptq::import
