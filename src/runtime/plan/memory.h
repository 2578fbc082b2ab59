#pragma once

#include "runtime/plan/program.h"

namespace ptq::runtime {

/// Gives every root its place in the arena: values that live at different times share bytes, and a
/// step overwrites an input that nobody else needs where it can.
void assign_memory(Program& program);

}  // namespace ptq::runtime
