#include "cli/page/page.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "cli/page/page_templates.h"
#include "cli/page/thumbnail.h"
#include "ptq/base/error.h"

namespace ptq::cli {
namespace {

using nlohmann::json;

/// As the contents of a script element: nothing in it ends the element.
std::string script_text(const json& data) {
  std::string text = data.dump(-1, ' ', false, json::error_handler_t::replace);
  for (size_t at = 0; (at = text.find("</", at)) != std::string::npos; at += 3) {
    text.insert(at + 1, "\\");
  }
  return text;
}

std::string html_text(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&') safe += "&amp;";
    if (c == '<') safe += "&lt;";
    if (c != '&' && c != '<') safe += c;
  }
  return safe;
}

/// The template with `text` where it says {{name}}.
std::string filled(std::string page, const std::string& name, std::string_view text) {
  const std::string place = "{{" + name + "}}";
  const size_t at = page.find(place);
  if (at == std::string::npos) throw InternalError("the page has no place for " + name);
  return page.replace(at, place.size(), text);
}

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

// The data come last: whatever they hold, no place is looked for behind them.
std::string page_of(const json& report, const json& thumbnails) {
  json data = report;
  data["thumbnails"] = thumbnails;
  const std::string model = report.at("resolved").at("model_name");
  std::string page = filled(std::string(kPageHtml), "STYLE", kPageStyle);
  page = filled(std::move(page), "SCRIPT", kPageScript);
  page = filled(std::move(page), "DATA", script_text(data));
  return filled(std::move(page), "TITLE", html_text(model + ", quantized"));
}

void write_page(const std::string& path, const json& report, int64_t images,
                const data::Recipe& recipe) {
  AtomicFile file(path);
  file.stream() << page_of(report, thumbnails_of(report.at("flips"), images, recipe));
  file.commit();
}

}  // namespace ptq::cli
