#pragma once

#include <map>
#include <string>

#include "options/settings.h"

namespace ptq::sweep {

/// What a result is a result of, whatever things are called and wherever they lie: the first 16
/// hexadecimal digits of SHA-256 hashes.
struct Identity {
  /// Of the model file; empty if there is none.
  std::string model;
  /// Of images and labels (data/content_hash.h).
  std::string validation, calibration;
  /// Of all options that can change a result.
  std::string configuration;

  bool operator<(const Identity& other) const;
};

/// Hashes files once, however many configurations use them.
class Identities {
 public:
  /// Throws DataError for a folder that is missing or an image that cannot be read, ConfigError
  /// where none is named.
  Identity of(const options::Settings& settings);

 private:
  const std::string& of_file(const std::string& path);
  const std::string& of_images(const options::Settings& settings, const std::string& option);
  std::string of_options(const options::Settings& settings);

  std::map<std::string, std::string> files_, folders_;
};

/// The file that a configuration's model is in; empty if none is named.
std::string model_path(const options::Settings& settings);

/// What tables call it.
std::string model_label(const options::Settings& settings);

}  // namespace ptq::sweep
