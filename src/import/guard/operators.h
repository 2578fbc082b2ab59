#pragma once

#include <ATen/core/symbol.h>

#include <string_view>

/// Which of LibTorch's operators a model file may use: those that compute, from their arguments,
/// new values or their first argument anew. Not on the list: what reads, writes or maps files,
/// reaches into memory without looking at its bounds, changes the state of the process, or is for
/// training only.
namespace ptq::import {

/// `name` without namespace; in place or not.
bool is_allowed_operator(std::string_view name);

/// Whether this LibTorch has an operator of that name in aten or prim, the two that code can name
/// without saying so.
bool is_operator(std::string_view name);

/// What LibTorch made of the text, before it runs: throws ImportError unless it is on the list.
void check_operator(c10::Symbol kind);

}  // namespace ptq::import
