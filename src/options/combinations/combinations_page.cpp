#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "options/combinations/combinations.h"

namespace ptq::options {
namespace {

using Lines = std::vector<std::string>;

std::string code_word(std::string_view text) { return "`" + std::string(text) + "`"; }
std::string flag_code(std::string_view option) { return code_word("--" + std::string(option)); }

/// "a", "a or b", "a, b or c".
std::string alternatives(const Lines& words) {
  std::string line;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) line += i + 1 == words.size() ? " or " : ", ";
    line += words[i];
  }
  return line;
}

std::string alternatives(const std::vector<std::string_view>& values) {
  Lines words;
  for (const std::string_view value : values) words.push_back(code_word(value));
  return alternatives(words);
}

/// What a condition says of its option's value: "`asym`", "not `None`".
std::string value_words(const Condition& condition) {
  if (condition.test == Condition::Test::kIs) return alternatives(condition.values);
  if (condition.test == Condition::Test::kIsNot) return "not " + alternatives(condition.values);
  const Option& option = *find_option(condition.option);
  if (option.default_value == "on") return code_word("off");
  if (option.default_value == "off") return code_word("on");
  return option.default_value == "None" ? "any value" : "not " + code_word(option.default_value);
}

/// As part of a sentence: "`--act-quant-type` is `asym`".
std::string condition_clause(const Condition& condition) {
  const std::string value = value_words(condition);
  return flag_code(condition.option) + (value == "any value" ? " is given" : " is " + value);
}

struct PageRow {
  std::string value, reason;
  /// Each refuses the value.
  Lines clauses;
};

std::string other_clauses(const Rule& rule) {
  std::string line;
  for (size_t i = 1; i < rule.conditions.size(); ++i) {
    line += (i == 1 ? "" : " and ") + condition_clause(rule.conditions[i]);
  }
  return line;
}

/// Rules that say the same of the same value are one row.
void add(std::vector<PageRow>& rows, const Rule& rule) {
  const std::string value = value_words(rule.conditions.front());
  const auto same = std::find_if(rows.begin(), rows.end(), [&](const PageRow& row) {
    return row.value == value && row.reason == rule.reason;
  });
  if (same != rows.end() && rule.conditions.size() == 2) {
    same->clauses.push_back(other_clauses(rule));
  } else {
    rows.push_back({value, std::string(rule.reason), {other_clauses(rule)}});
  }
}

/// What there is to say of one option.
struct PageSection {
  std::vector<PageRow> rows;
  /// Options whose rows speak of this one.
  Lines elsewhere;
};

std::map<std::string_view, PageSection> page_sections() {
  std::map<std::string_view, PageSection> found;
  for (const Rule& rule : combination_rules()) {
    const std::string_view blamed = rule.conditions.front().option;
    add(found[blamed].rows, rule);
    for (size_t i = 1; i < rule.conditions.size(); ++i) {
      if (rule.conditions[i].option == blamed) continue;
      Lines& elsewhere = found[rule.conditions[i].option].elsewhere;
      const std::string name = flag_code(blamed);
      if (std::count(elsewhere.begin(), elsewhere.end(), name) == 0) elsewhere.push_back(name);
    }
  }
  return found;
}

std::string section_text(std::string_view option, const PageSection& section) {
  std::string text = "\n## --" + std::string(option) + "\n\n";
  if (!section.rows.empty()) text += "| value | refused if | because |\n|---|---|---|\n";
  for (const PageRow& row : section.rows) {
    text += "| " + row.value + " | " + alternatives(row.clauses) + " | " + row.reason + " |\n";
  }
  if (section.elsewhere.empty()) return text;
  std::string line;
  for (const std::string& name : section.elsewhere) line += (line.empty() ? "" : ", ") + name;
  return text + (section.rows.empty() ? "" : "\n") + "See also " + line + ".\n";
}

}  // namespace

std::string combinations_page() {
  std::string page =
      "# Options that do not go together\n\n"
      "The program refuses these combinations before any work, names the reason, and ends with\n"
      "exit code 64. Everything else is allowed. For float formats one more rule holds: a bit\n"
      "width is 3 to 8, and equals one sign bit plus the exponent bits plus the mantissa bits.\n\n"
      "Look up an option to see what refuses it. \"See also\" names the options whose rows "
      "mention\n"
      "it. A test generates this page from the rules that the program reads "
      "(`src/options/combinations`).\n";
  const auto found = page_sections();
  for (const Option& option : option_table()) {
    const auto section = found.find(option.name);
    if (section != found.end()) page += section_text(option.name, section->second);
  }
  return page;
}

}  // namespace ptq::options
