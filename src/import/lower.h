#pragma once

#include "import/call.h"
#include "import/recorder.h"

namespace ptq::import {

/// Before a call runs: throws ImportError if it would make the network depend on chance, or take a
/// decision from pixel values. Remembers what a write in place is about to change.
void prepare_call(const Call& call, Recorder& recorder);

/// After it ran: appends what it did to the graph, if an image flowed into it.
void record_call(const Call& call, Recorder& recorder);

}  // namespace ptq::import
