#pragma once

#include <string>

#include "import/call.h"

namespace ptq::import {

/// Throws ImportError if `call`, at `place` in the model, draws random numbers or behaves as in
/// training. `follows`: an image flows into it; what does not depend on images may be computed in
/// any mode, as long as no chance is in it.
void check_chance(const Call& call, bool follows, const std::string& place);

}  // namespace ptq::import
