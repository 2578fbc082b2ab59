#pragma once

#include "options/config/config.h"
#include "options/settings.h"
#include "ptq/data/image_folder.h"

namespace ptq::cli {

/// Before any work. Throws OutputError for a file that could not be written, and ConfigError for
/// one that is the model or the configuration file: whatever name it is given by, it would be gone.
void check_outputs(const options::Settings& settings, const options::Config& config);

/// Throws ConfigError for an output that is an image or a list of labels of `folder`, which lies in
/// `directory`.
void check_outputs_are_no_images(const options::Config& config, const std::string& directory,
                                 const data::ImageFolder& folder);

}  // namespace ptq::cli
