#include <sstream>

#include "options/pages/option_words.h"
#include "options/settings.h"

namespace ptq::options {
namespace {

/// roff takes a dash for a hyphen, a backslash for a command, and a dot that begins a line.
std::string roff(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  return !escaped.empty() && (escaped.front() == '.' || escaped.front() == '\'') ? "\\&" + escaped
                                                                                 : escaped;
}

std::string roff_entry(const Option& option) {
  return ".TP\n.B " + roff(flag_words(option)) + "\n" +
         roff(std::string(option.help) + choice_words(option) + default_words(option)) + "\n";
}

std::string choices_case(const Option& option) {
  std::string words;
  for (const std::string_view word : option.choices) {
    words += (words.empty() ? "" : " ") + std::string(word);
  }
  return "    --" + std::string(option.name) + ") COMPREPLY=($(compgen -W \"" + words +
         "\" -- \"$word\")); return ;;\n";
}

bool names_a_folder(const Option& option) {
  const std::string_view name = option.name;
  return name.size() > 4 && name.substr(name.size() - 4) == "-dir";
}

}  // namespace

std::string man_page() {
  std::ostringstream page;
  page << ".TH PTQ_IMAGENET_VAL 1 \"\" \"ptq\\-eval " << program_version() << "\"\n"
       << ".SH NAME\nptq_imagenet_val \\- measure what quantization costs an image classifier\n"
       << ".SH SYNOPSIS\n.B ptq_imagenet_val\n"
       << "\\-\\-model FILE.pt \\-\\-calibration\\-dir DIR \\-\\-validation\\-dir DIR [options]\n"
       << ".SH DESCRIPTION\nReads a TorchScript classifier, quantizes it after training, and "
          "compares its accuracy with that of the float network. Defaults are in brackets.\n";
  for (const Heading& heading : headings()) {
    page << ".SH \"" << heading.words << "\"\n";
    for (const Option& option : option_table()) {
      if (option.group == heading.group) page << roff_entry(option);
    }
  }
  page << ".SH \"EXIT STATUS\"\n0 success, 1 gate failed, 2 gate inconclusive, 64 usage, 65 data, "
          "66 model, 67 quantization, 68 export, 70 internal, 73 output.\n";
  return page.str();
}

std::string bash_completion() {
  std::string flags, cases, folders;
  for (const Option& option : option_table()) {
    const std::string name(option.name);
    flags += " --" + name + (option.type == ValueType::kOnOff ? " --no-" + name : "");
    if (!option.choices.empty()) cases += choices_case(option);
    if (names_a_folder(option)) folders += (folders.empty() ? "--" : "|--") + name;
  }
  return "# Completion of ptq_imagenet_val, generated from its table of options.\n"
         "_ptq_imagenet_val() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]}\n"
         "  case ${COMP_WORDS[COMP_CWORD-1]} in\n" +
         cases + "    " + folders +
         ") COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n"
         "  esac\n"
         "  if [[ $word == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"--help --version" +
         flags +
         "\" -- \"$word\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "  fi\n"
         "}\n"
         "complete -o filenames -F _ptq_imagenet_val ptq_imagenet_val\n";
}

}  // namespace ptq::options
