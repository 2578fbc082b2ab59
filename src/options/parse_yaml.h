#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

namespace ptq::options {

/// The one document that a file holds. Throws ConfigError, without the file's name: "line 3 is not
/// YAML: ...".
YAML::Node parse_yaml(const std::string& text);

}  // namespace ptq::options
