#include "report/page/page.h"

#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "ptq/base/error.h"
#include "report/html_template.h"
#include "report/page/thumbnail.h"

namespace ptq::report {
namespace {

using nlohmann::json;

/// An image that cannot be read again goes without.
json thumbnails_of(const json& flips, int64_t most, const data::Recipe& recipe) {
  json pictures = json::object();
  for (const json& flip : flips) {
    if (static_cast<int64_t>(pictures.size()) >= most) break;
    const std::string path = flip.at("path");
    try {
      pictures[path] = thumbnail(path, recipe);
    } catch (const DataError&) {
      continue;
    }
  }
  return pictures;
}

}  // namespace

extern const PageTemplate kPageTemplate;

std::string page_of(const json& report, const json& thumbnails) {
  json data = report;
  data["thumbnails"] = thumbnails;
  const std::string model = report.at("resolved").at("model_name");
  return page(kPageTemplate, model + ", quantized", data);
}

void write_page(const std::string& path, const json& report, int64_t images,
                const data::Recipe& recipe) {
  AtomicFile file(path);
  file.stream() << page_of(report, thumbnails_of(report.at("flips"), images, recipe));
  file.commit();
}

}  // namespace ptq::report
