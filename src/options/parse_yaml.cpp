#include "options/parse_yaml.h"

#include <yaml-cpp/depthguard.h>

#include "base/input_file.h"
#include "ptq/base/error.h"

namespace ptq::options {

YAML::Node parse_yaml(const std::string& text) {
  if (has_second_document(text)) throw ConfigError("it holds more than one YAML document");
  const auto line = [](const YAML::Exception& error) {
    return "line " + std::to_string(error.mark.line + 1);
  };
  try {
    return YAML::Load(text);
  } catch (const YAML::DeepRecursion& error) {
    throw ConfigError(line(error) + " nests values " + std::to_string(error.depth()) +
                      " deep, which is too deep");
  } catch (const YAML::Exception& error) {
    throw ConfigError(line(error) + " is not YAML: " + error.msg);
  }
}

}  // namespace ptq::options
