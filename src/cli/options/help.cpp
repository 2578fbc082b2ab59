#include <torch/version.h>

#include <sstream>

#include "cli/options/option_words.h"
#include "ptq/cli/settings.h"

namespace ptq::cli {
namespace {

constexpr size_t kHelpColumn = 38;
constexpr size_t kWidth = 100;

/// Words of `text` in lines that end before kWidth, all but the first indented to kHelpColumn.
std::string wrapped(const std::string& text) {
  std::istringstream words(text);
  std::string lines;
  size_t column = kHelpColumn;
  for (std::string word; words >> word; column += word.size() + 1) {
    if (column + word.size() > kWidth) {
      lines += "\n" + std::string(kHelpColumn, ' ');
      column = kHelpColumn;
    } else if (!lines.empty()) {
      lines += " ";
    }
    lines += word;
  }
  return lines;
}

void print(std::ostream& out, const Option& option) {
  std::string flags = "  " + flag_words(option);
  if (flags.size() + 1 < kHelpColumn) {
    flags.resize(kHelpColumn, ' ');
  } else {
    flags += "\n" + std::string(kHelpColumn, ' ');
  }
  out << flags << wrapped(std::string(option.help) + choice_words(option) + default_words(option))
      << "\n";
}

}  // namespace

const std::vector<Heading>& headings() {
  static const std::vector<Heading> all = {
      {Group::kModel, "Model"},
      {Group::kData, "Images"},
      {Group::kQuantization, "Quantization"},
      {Group::kTechniques, "Techniques"},
      {Group::kRun, "Run"},
      {Group::kGate, "Gate"},
      {Group::kOutput, "Output"},
  };
  return all;
}

std::string flag_words(const Option& option) {
  const std::string name(option.name);
  switch (option.type) {
    case ValueType::kSwitch:
      return "--" + name;
    case ValueType::kOnOff:
      return "--" + name + ", --no-" + name;
    case ValueType::kInteger:
      return "--" + name + " N";
    case ValueType::kNumber:
      return "--" + name + " X";
    case ValueType::kNumbers:
      return "--" + name + " R G B";
    case ValueType::kTexts:
      return "--" + name + " TEXT, repeatable";
    default:
      return "--" + name + (option.choices.empty() ? " TEXT" : " WORD");
  }
}

std::string choice_words(const Option& option) {
  std::string line;
  for (const std::string_view word : option.choices) {
    line += (line.empty() ? "" : " | ") + std::string(word);
  }
  return line.empty() ? "" : ": " + line;
}

std::string default_words(const Option& option) {
  if (option.type == ValueType::kSwitch) return "";
  if (!option.default_words.empty()) return " [" + std::string(option.default_words) + "]";
  if (option.default_value == "None") return "";
  return " [" + std::string(option.default_value) + "]";
}

std::string help_text() {
  std::ostringstream out;
  out << "ptq_imagenet_val: measures how much accuracy quantization costs an image classifier\n"
         "\n"
         "  ptq_imagenet_val --model FILE.pt --calibration-dir DIR --validation-dir DIR "
         "[options]\n";
  for (const Heading& heading : headings()) {
    out << "\n" << heading.words << "\n";
    for (const Option& option : option_table()) {
      if (option.group == heading.group) print(out, option);
    }
  }
  out << "\n  -h, --help, --version\n\n"
         "Defaults are in brackets. A file given with --config holds `name: value` lines for any\n"
         "of these options; flags override it.\n"
         "Exit codes: 0 success, 1 gate failed, 2 gate inconclusive, 64 usage, 65 data, 66 model,\n"
         "67 quantization, 68 export, 70 internal, 71 system, 73 output.\n";
  return out.str();
}

std::string version_text() {
  return "ptq-eval " + program_version() + ", LibTorch " + TORCH_VERSION + "\n";
}

std::string program_version() { return PTQ_VERSION; }

}  // namespace ptq::cli
