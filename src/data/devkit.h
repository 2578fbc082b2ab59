#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ptq::data {

/// The classes of ILSVRC2012's devkit, whose numbers count from 1: of synsets.txt in `folder`, a
/// class a line, or of the devkit's meta.mat (MATLAB 5: its compressed parts hold the WordNet names
/// `n` and eight digits in the order of the numbers; those behind the first 1000 are not classes).
/// Empty where neither is there. Throws DataError for a meta.mat that is damaged or names none.
std::vector<std::string> devkit_synsets(const std::filesystem::path& folder);

}  // namespace ptq::data
