#pragma once

#include <string>

#include "import/import.h"

namespace ptq::import {

/// Looks at a TorchScript file before LibTorch does: is it a regular file and a whole archive whose
/// checksums are right, do its tensors lie within their data, do its pickles and its code keep to
/// what torch.jit.save writes and to the operators on the list (operators.h)? Runs nothing of it.
/// Throws ImportError, without the file's name. With ModelTrust::kTrust any operator and class may
/// be used; the rest is checked all the same.
void check_model_file(const std::string& path, ModelTrust trust);

}  // namespace ptq::import
