#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "options/option.h"

/// The table of options in words: for --help, the man page and shells.
namespace ptq::options {

struct Heading {
  Group group;
  std::string_view words;
  /// After --help.
  std::string_view topic;
};
/// In the order of the pages.
const std::vector<Heading>& headings();

/// "--name N"
std::string flag_words(const Option& option);
/// ": fx | layerwise | flexml"; empty where any value is good.
std::string choice_words(const Option& option);
/// " [8]"; empty where there is nothing to say.
std::string default_words(const Option& option);

/// The man page of ptq_imagenet_val, as roff.
std::string man_page();
/// What bash completes after ptq_imagenet_val.
std::string bash_completion();

}  // namespace ptq::options
