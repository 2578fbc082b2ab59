#pragma once

#include "ptq/data/image_folder.h"
#include "report/run_result.h"

namespace ptq::report {

/// Right answers by class, and the images of `folder` where float and quantized network part. Adds
/// nothing where the result has no details or no float evaluation.
void add_answer_details(RunResult& result, const data::ImageFolder& folder);

}  // namespace ptq::report
