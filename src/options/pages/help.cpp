#include <torch/version.h>

#include <sstream>

#include "options/pages/option_words.h"
#include "options/settings.h"
#include "options/suggestion.h"
#include "ptq/base/error.h"

namespace ptq::options {
namespace {

/// Where the text of an option begins, and where lines end.
struct Page {
  size_t column = 38;
  size_t width = 100;
};
constexpr Page kWholePage{38, 100};
constexpr Page kFirstPage{36, 80};

/// What a first run needs, in the words of one line each.
struct FirstOption {
  std::string_view name, words;
};
constexpr FirstOption kFirstOptions[] = {
    {"model", "TorchScript file to evaluate"},
    {"model-name", "its name; says how images are prepared"},
    {"calibration-dir", "images that calibrate the activations"},
    {"validation-dir", "images on which accuracy is measured"},
    {"calibration-samples", "images used for calibration"},
    {"validation-samples", "images to evaluate"},
    {"target-backend", "fx, layerwise or flexml"},
    {"weight-bit-width", "bits of weights"},
    {"act-bit-width", "bits of activations; 0 for none"},
    {"weight-quant-granularity", "per_tensor, per_channel, per_group"},
    {"gptq", "round weights by GPTQ"},
    {"learned-round", "learn the rounding of weights"},
    {"attribute", "accuracy after each stage"},
    {"node-sqnr", "images for the noise at every node"},
    {"strict", "fail on results that look broken"},
    {"page", "HTML page to look at the run"},
    {"report", "JSON file for all results"},
    {"export-onnx-qcdq", "export as ONNX"},
    {"export-dir", "folder for exported networks"},
    {"config", "YAML file with any of the options"},
};

/// Words of `text` in lines that end before the width, all but the first indented.
std::string wrapped(const std::string& text, const Page& page) {
  std::istringstream words(text);
  std::string lines;
  size_t column = page.column;
  for (std::string word; words >> word; column += word.size() + 1) {
    if (column + word.size() > page.width) {
      lines += "\n" + std::string(page.column, ' ');
      column = page.column;
    } else if (!lines.empty()) {
      lines += " ";
    }
    lines += word;
  }
  return lines;
}

/// The flag and, in its column, what it is for.
void print(std::ostream& out, std::string flags, const std::string& words, const Page& page) {
  if (flags.size() + 1 < page.column) {
    flags.resize(page.column, ' ');
  } else {
    flags += "\n" + std::string(page.column, ' ');
  }
  out << flags << wrapped(words, page) << "\n";
}

void print_group(std::ostream& out, const Heading& heading) {
  out << "\n" << heading.words << "\n";
  for (const Option& option : option_table()) {
    if (option.group != heading.group) continue;
    print(out, "  " + flag_words(option),
          std::string(option.help) + choice_words(option) + default_words(option), kWholePage);
  }
}

std::string topics() {
  std::string words;
  for (const Heading& heading : headings()) {
    words += (words.empty() ? "" : ", ") + std::string(heading.topic);
  }
  return words;
}

constexpr const char* kFirstLines =
    "ptq_imagenet_val: measures how much accuracy quantization costs an image classifier\n"
    "\n"
    "  ptq_imagenet_val --model FILE.pt --calibration-dir DIR --validation-dir DIR [options]\n";

constexpr const char* kLastLines =
    "Defaults are in brackets. A file given with --config holds `name: value` lines for any\n"
    "of these options; flags override it.\n"
    "Exit codes: 0 success, 1 gate failed, 2 gate inconclusive, 64 usage, 65 data, 66 model,\n"
    "67 quantization, 68 export, 70 internal, 71 system, 73 output.\n";

}  // namespace

const std::vector<Heading>& headings() {
  static const std::vector<Heading> all = {
      {Group::kModel, "Model", "model"},
      {Group::kData, "Images", "images"},
      {Group::kQuantization, "Quantization", "quantization"},
      {Group::kTechniques, "Techniques", "techniques"},
      {Group::kRun, "Run", "run"},
      {Group::kGate, "Gate", "gate"},
      {Group::kOutput, "Output", "output"},
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

std::string whole_help_text() {
  std::ostringstream out;
  out << kFirstLines;
  for (const Heading& heading : headings()) print_group(out, heading);
  out << "\n  -h, --help, --help TOPIC, --help-all, --version\n\n" << kLastLines;
  return out.str();
}

std::string help_text() {
  std::ostringstream out;
  out << "ptq_imagenet_val: measures how much accuracy quantization costs a classifier\n\n"
         "  ptq_imagenet_val --model FILE.pt --calibration-dir DIR --validation-dir DIR\n\n";
  for (const FirstOption& first : kFirstOptions) {
    const Option& option = *find_option(first.name);
    const std::string flag = flag_words(option);
    print(out, "  " + flag.substr(0, flag.find(',')),
          std::string(first.words) + default_words(option), kFirstPage);
  }
  out << "\n--help-all lists all options, --help TOPIC those of a topic:\n  " << topics() << "\n";
  return out.str();
}

std::string help_text(const std::string& topic) {
  std::vector<std::string_view> names;
  for (const Heading& heading : headings()) {
    names.push_back(heading.topic);
    if (heading.topic != topic) continue;
    std::ostringstream out;
    print_group(out, heading);
    return out.str().substr(1) + "\nDefaults are in brackets.\n";
  }
  throw ConfigError("--help: '" + topic + "' is none of " + topics() + suggestion(topic, names));
}

std::string version_text() {
  return "ptq-eval " + program_version() + ", LibTorch " + TORCH_VERSION + "\n";
}

std::string program_version() { return PTQ_VERSION; }

}  // namespace ptq::options
