#pragma once

#include <functional>

#include "runtime/steps/step.h"

namespace ptq::runtime::integer {

/// The step of a Conv, ConvTranspose or Linear on codes: request.integers is there. Serves every
/// case that the decision lets pass (decision.h).
BuiltStep build_layer(const StepRequest& request);

/// Of a product of two values that both are codes.
BuiltStep build_product(const StepRequest& request);

/// The largest codes of windows, as codes. No step where it does not serve the case.
BuiltStep build_max_pool(const StepRequest& request);

/// `make` builds the step from what its epilogue carries of the tail; the rest follows it. `floats`
/// is where the step's output lies, with channels along `channel_dim`.
BuiltStep with_epilogue(const StepRequest& request, const Layout& floats, int channel_dim,
                        const std::function<std::unique_ptr<Step>(Tail)>& make);

}  // namespace ptq::runtime::integer
