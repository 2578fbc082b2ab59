#pragma once

#include <string>
#include <string_view>

namespace ptq::import {

/// Throws ImportError, without the file's name, where serialized TorchScript (`name` in the
/// archive) nests deeper than LibTorch's recursive parser and compiler survive, or, unless
/// `any_operator`, names an operator that is not in the list of those a model file may use
/// (operators.h). Compiling runs code already (default arguments), and so does loading
/// (__setstate__): text is what can be looked at before.
void check_code(std::string_view code, const std::string& name, bool any_operator);

}  // namespace ptq::import
