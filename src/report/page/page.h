#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ptq/data/recipe.h"

namespace ptq::report {

/// One self-contained HTML page of a run: the report itself, as text, and the script that draws it.
/// `report` is what report_json gives; `thumbnails` has a `data:` address by path of image.
std::string page_of(const nlohmann::json& report, const nlohmann::json& thumbnails);

/// The same in a file, complete or not at all, with pictures of the first `images` flips. Throws
/// OutputError naming the file.
void write_page(const std::string& path, const nlohmann::json& report, int64_t images,
                const data::Recipe& recipe);

}  // namespace ptq::report
