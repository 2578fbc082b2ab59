#pragma once

#include <vector>

#include "import/call.h"

namespace ptq::import {

/// Makes the memory of an operator's results what a graph can follow: nothing is left in it that
/// was there before, and the parts of unsafe_chunk and the like, which no model may take for views,
/// have memory of their own that may be written into.
void settle_memory(const Call& call, std::vector<c10::IValue>& results);

}  // namespace ptq::import
