#include "options/option.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "options/suggestion.h"
#include "ptq/base/error.h"

namespace ptq::options {
namespace {

template <class Change>
Option with(Option option, Change&& change) {
  change(option);
  return option;
}

/// The whole text as a number of type T, or nothing.
template <class T>
std::optional<T> read_number(const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

[[noreturn]] void refuse(const Option& option, const std::string& rest) {
  throw ConfigError("--" + std::string(option.name) + rest);
}

double finite_number(const Option& option, const std::string& word) {
  const std::optional<double> value = read_number<double>(word);
  if (!value || !std::isfinite(*value)) refuse(option, ": '" + word + "' is not a number");
  return *value;
}

int64_t whole_number(const Option& option, const std::string& word) {
  const std::optional<int64_t> value = read_number<int64_t>(word);
  if (!value) refuse(option, ": '" + word + "' is not a whole number");
  return *value;
}

std::string lower(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return word;
}

bool on_or_off(const Option& option, const std::string& word) {
  const std::string said = lower(word);
  if (said == "on" || said == "true" || said == "yes") return true;
  if (said == "off" || said == "false" || said == "no") return false;
  refuse(option, ": '" + word + "' is neither true nor false");
}

std::vector<double> three_numbers(const Option& option, const std::vector<std::string>& words) {
  if (words.size() != 3) refuse(option, " takes three numbers: red, green and blue");
  std::vector<double> values;
  for (const std::string& word : words) values.push_back(finite_number(option, word));
  return values;
}

/// By type alone; None where the option allows it.
Value parse_type(const Option& option, const std::vector<std::string>& words) {
  if (option.accepts_none && words.size() == 1 && words[0] == "None") return std::monostate{};
  if (option.type == ValueType::kNumbers) return three_numbers(option, words);
  if (option.type == ValueType::kTexts) return words;
  if (words.size() != 1) refuse(option, " takes one value");
  const std::string& word = words[0];
  switch (option.type) {
    case ValueType::kInteger:
      return whole_number(option, word);
    case ValueType::kNumber:
      return finite_number(option, word);
    case ValueType::kSwitch:
    case ValueType::kOnOff:
      return on_or_off(option, word);
    default:
      if (word.empty()) refuse(option, " must not be empty");
      return word;
  }
}

bool is_one_of(const Option& option, const Value& value,
               const std::vector<std::string_view>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return parse_type(option, {std::string(word)}) == value;
  });
}

std::string limits(const Range& range) {
  const std::string low = to_text(range.low);
  const std::string high = to_text(range.high);
  if (std::isinf(range.high)) return (range.above_low ? "above " : "at least ") + low;
  if (range.above_low) return "above " + low + " and at most " + high;
  return "between " + low + " and " + high;
}

/// `number` is an int64_t or a double, which the error prints.
template <class Number>
void require_in_range(const Option& option, Number number) {
  const auto value = static_cast<double>(number);
  const Range& range = option.range;
  const bool high_enough = range.above_low ? value > range.low : value >= range.low;
  if (!high_enough || value > range.high) {
    refuse(option, " must be " + limits(range) + ", not " + to_text(number));
  }
}

void require_range(const Option& option, const Value& value) {
  if (const auto* whole = std::get_if<int64_t>(&value)) {
    require_in_range(option, *whole);
  } else if (const auto* real = std::get_if<double>(&value)) {
    require_in_range(option, *real);
  } else if (const auto* list = std::get_if<std::vector<double>>(&value)) {
    for (const double element : *list) require_in_range(option, element);
  }
}

void require_choice(const Option& option, const Value& value) {
  if (option.choices.empty() || std::holds_alternative<std::monostate>(value)) return;
  if (is_one_of(option, value, option.choices)) return;
  refuse(option, ": '" + to_text(value) + "' is none of " + joined(option.choices) +
                     (option.accepts_none ? ", None" : "") +
                     suggestion(to_text(value), option.choices));
}

}  // namespace

Option Option::or_none() const {
  return with(*this, [](Option& o) { o.accepts_none = true; });
}
Option Option::one_of(std::initializer_list<std::string_view> values) const {
  return with(*this, [&](Option& o) { o.choices = values; });
}
Option Option::between(double low, double high) const {
  return with(*this, [&](Option& o) { o.range = {low, high, false}; });
}
Option Option::at_least(double low) const {
  return with(*this, [&](Option& o) { o.range.low = low; });
}
Option Option::above(double low, double high) const {
  return with(*this, [&](Option& o) { o.range = {low, high, true}; });
}
Option Option::also(std::initializer_list<std::string_view> values) const {
  return with(*this, [&](Option& o) { o.extra = values; });
}
Option Option::reference_has(std::string_view value) const {
  return with(*this, [&](Option& o) { o.reference_default = value; });
}
Option Option::by_default(std::string_view words) const {
  return with(*this, [&](Option& o) { o.default_words = words; });
}
Option Option::sets(std::string_view config_field) const {
  return with(*this, [&](Option& o) { o.field = config_field; });
}
Option Option::from(Level first_stage) const {
  return with(*this, [&](Option& o) { o.level = first_stage; });
}
Option Option::named_in_stem() const {
  return with(*this, [](Option& o) { o.naming = Naming::kStem; });
}
Option Option::not_named() const {
  return with(*this, [](Option& o) { o.naming = Naming::kNot; });
}
Option Option::labelled(int place, std::string_view words) const {
  return with(*this, [&](Option& o) {
    o.label_place = place;
    o.label = words;
  });
}
Option Option::ours() const {
  return with(*this, [](Option& o) { o.in_reference = false; });
}
Option Option::needs(const char* option, std::vector<std::string_view> values,
                     std::string_view reason) const {
  return needs_one_of({{option, std::move(values)}}, reason);
}
Option Option::needs_one_of(std::vector<Need::Other> options, std::string_view reason) const {
  return with(*this, [&](Option& o) { o.required.push_back({std::move(options), reason}); });
}
Option Option::for_backends() const {
  return with(*this, [](Option& o) { o.is_for_backends = true; });
}

Value parse_value(const Option& option, const std::vector<std::string>& words) {
  Value value = parse_type(option, words);
  if (is_one_of(option, value, option.extra)) return value;
  require_range(option, value);
  require_choice(option, value);
  return value;
}

std::string to_text(const Value& value) {
  struct Printer {
    std::string operator()(std::monostate) const { return "None"; }
    std::string operator()(bool on) const { return on ? "on" : "off"; }
    std::string operator()(int64_t whole) const { return std::to_string(whole); }
    std::string operator()(const std::string& word) const { return word; }
    std::string operator()(double real) const {
      std::array<char, 32> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), real);
      return {digits.data(), end.ptr};
    }
    std::string operator()(const std::vector<std::string>& list) const {
      std::string line;
      for (const std::string& word : list) line += (line.empty() ? "" : " ") + word;
      return line;
    }
    std::string operator()(const std::vector<double>& list) const {
      std::string line;
      for (const double real : list) line += (line.empty() ? "" : " ") + (*this)(real);
      return line;
    }
  };
  return std::visit(Printer{}, value);
}

Value default_value(const Option& option) {
  return parse_type(option, {std::string(option.default_value)});
}

}  // namespace ptq::options
